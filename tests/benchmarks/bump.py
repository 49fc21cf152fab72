"""One package of many gets another version: mlbuild beside `uv pip sync` into a fresh virtual environment.

    python tests/benchmarks/bump.py [--wheels 30] [--files 300] [--runs 5]

Both have every wheel in their caches or on this disk; uv compiles the bytecode too, as mlbuild does, or leaves
it to the first run. Prints a table of minimum and median seconds, and their ratios.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.fetch.conftest import wheel

COMPILE = "--compile-bytecode"
ROOT = Path(__file__).parents[2]


class Place:
    """A workspace, an index on disk, and the caches of both."""

    def __init__(self, folder: Path, wheels: int, files: int, versions: int) -> None:
        self.folder = folder
        self.wheels = wheels
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(ROOT),
            "PIP_FIND_LINKS": str(folder / "index"),
            "PIP_NO_INDEX": "1",
        }
        self.lines: dict[tuple[int, int], str] = {}
        wanted = [(number, 0) for number in range(wheels)] + [(0, version) for version in range(1, versions + 1)]
        for number, version in wanted:
            name = f"part{number}"
            modules = {
                f"{name}/m{file}.py": f"VERSION = {version}\n" + f"def f{file}(x):\n    return [x, {file}]\n" * 20
                for file in range(files)
            }
            _, sha256 = wheel(folder / "index", name, f"1.{version}", modules)
            self.lines[number, version] = f"{name}==1.{version} --hash=sha256:{sha256}\n"
        (folder / "home").mkdir()
        (folder / "WORKSPACE.ml").write_text('workspace(name = "bump")\n')
        (folder / "BUILD.ml").write_text('py_env(name = "env", lock = "lock.txt")\n')

    def lock(self, version: int) -> None:
        """Writes the lock in which the first package has this version."""
        lines = [self.lines[number, version if number == 0 else 0] for number in range(self.wheels)]
        (self.folder / "lock.txt").write_text("".join(lines))

    def build(self) -> None:
        self._run(sys.executable, "-m", "mlbuild", "build", "//:env")

    def sync(self, *flags: str) -> None:
        """A fresh environment with all packages."""
        venv = self.folder / "home" / "venv"
        shutil.rmtree(venv, ignore_errors=True)
        uv = shutil.which("uv") or "uv"
        self._run(uv, "venv", "-q", "--python", sys.executable, str(venv))
        self._run(
            uv, "pip", "sync", "-q", "--no-index", "--find-links", str(self.folder / "index"), "--python",
            str(venv / "bin" / "python"), *flags, str(self.folder / "lock.txt"),
        )  # fmt: skip

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{command}: {done.stdout}{done.stderr}")


def timed(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", type=int, default=30)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {
        "bump, mlbuild": [], "bump, uv": [], "bump, uv without bytecode": [], "nothing, mlbuild": [],
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), given.wheels, given.files, given.runs)
        place.lock(0)
        first = {"first, mlbuild": timed(place.build), "first, uv": timed(lambda: place.sync(COMPILE))}
        for version in range(1, given.runs + 1):
            place.lock(version)
            seconds["bump, mlbuild"].append(timed(place.build))
            seconds["bump, uv"].append(timed(lambda: place.sync(COMPILE)))
            seconds["bump, uv without bytecode"].append(timed(place.sync))
            seconds["nothing, mlbuild"].append(timed(place.build))
    print(f"{given.wheels} wheels of {given.files} files, N = {given.runs}")
    for name, once in first.items():
        print(f"{name:26} {once:8.3f} (once)")
    for name, each in seconds.items():
        print(f"{name:26} {min(each):8.3f} {statistics.median(each):8.3f}")
    ours = statistics.median(seconds["bump, mlbuild"])
    for name in ("bump, uv", "bump, uv without bytecode"):
        print(f"mlbuild / {name}: {ours / statistics.median(seconds[name]):.2f}")


if __name__ == "__main__":
    main()
