"""What safety costs: a graph of small actions with everything that makes the store trusted, and with it switched off.

    python tests/benchmarks/safety.py [--actions 1000] [--rounds 5]

Both are built in turn, part of the actions each time, so that a busy machine is busy for both. Switched off are flushes,
hashing of blobs before they are given out, the look at staged trees, and whether a result has all its files: from here,
since users have no way to. Prints seconds of wall clock and of processors (mlbuild's own), and the ratios.
"""

from __future__ import annotations

import argparse
import datetime
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.graph import machine, measured, write_workspace

REPOSITORY = Path(__file__).parents[2]


def careless(argv: list[str]) -> int:
    """mlbuild's command line, with all checks switched off."""
    from mlbuild.cli import main
    from mlbuild.files import tree_list
    from mlbuild.store import completeness, disk, durable

    vars(durable)["sync_file_system"] = lambda folder: None
    disk.DiskStore._check = lambda self, digest, descriptor: None  # type: ignore[method-assign]
    disk.Flushed.note = lambda self, began_ns: None  # type: ignore[method-assign]
    vars(tree_list)["looked_over"] = lambda known, root, mtime_ns: known
    completeness.Completeness.is_complete = lambda self, result: True  # type: ignore[method-assign]
    return main(argv, os.environ)


def careful(argv: list[str]) -> int:
    from mlbuild.cli import main

    return main(argv, os.environ)


def build(how: str, folder: Path, cache: Path) -> tuple[float, float]:
    """Seconds of wall clock, and of processors in mlbuild itself, of a cold and then of a warm build."""
    argv = [sys.executable, "-m", "tests.benchmarks.safety", "--do", how, "build", "//...", f"--disk_cache={cache}"]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    def do() -> None:
        subprocess.run(argv, cwd=folder, check=True, capture_output=True, env=environ)

    wall = measured(do)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    part = options.actions // options.rounds
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number in range(options.rounds):
        for how in ("careful", "careless") if number % 2 else ("careless", "careful"):
            with tempfile.TemporaryDirectory() as root:
                folder = Path(root, "workspace")
                folder.mkdir()
                # The shell is collected from the machine once in a cache's life.
                (folder / "WORKSPACE.ml").write_text("")
                (folder / "BUILD.ml").write_text('genrule(name = "shell", outs = ["shell"], cmd = "echo > $@")\n')
                build("careful", folder, Path(root, "cache"))
                (folder / "BUILD.ml").unlink()
                write_workspace(folder, part)
                for phase in ("cold", "from the cache"):
                    found.setdefault((phase, how), []).append(build(how, folder, Path(root, "cache")))
                    for out in (folder / "mlbuild-out", Path(root, "cache", "state")):
                        subprocess.run(["chmod", "-R", "u+w", out], check=True)
                        subprocess.run(["rm", "-rf", out], check=True)
                subprocess.run(["chmod", "-R", "u+w", root], check=True)
    when = datetime.datetime.now(datetime.UTC).date()
    print(f"{options.rounds} x {part} actions each way, {when}, {os.cpu_count()} cores, {machine()}\n")
    print(
        "| phase | checks on: wall, CPU s | off: wall, CPU s | wall on / off | CPU on / off |\n| --- | --- | --- | --- | --- |"
    )
    for phase in ("cold", "from the cache"):
        on, off = found[phase, "careful"], found[phase, "careless"]
        ratios = [statistics.median(a[index] / b[index] for a, b in zip(on, off, strict=True)) for index in (0, 1)]
        sums = [sum(each[index] for each in side) for side in (on, off) for index in (0, 1)]
        print(
            f"| {phase} | {sums[0]:.2f}, {sums[1]:.2f} | {sums[2]:.2f}, {sums[3]:.2f} "
            f"| {ratios[0]:.3f} | {ratios[1]:.3f} |"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--do"]:
        sys.exit({"careful": careful, "careless": careless}[sys.argv[2]](sys.argv[3:]))
    main()
