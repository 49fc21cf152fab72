"""Start and import of each big library: in an environment of mlbuild, in its sandbox, beside a plain virtual environment.

    python -m tests.benchmarks.imports --folder DIRECTORY [--runs 7]

DIRECTORY keeps the workspace of `tests/end_to_end/libraries`, its cache and the virtual environments: the first run fills it.
The same interpreter and the same locks; uv compiles bytecode into the virtual environment, as mlbuild does into its own.
Each import is a process of its own, whose time is taken inside: from the first line to the end of the import. The two take turns.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.graph import machine

LIBRARIES = {
    "sklearn.linear_model": "boosting", "lightgbm": "boosting", "xgboost": "xgb", "torch": "network", "pyarrow": "tables",
    "polars": "tables", "duckdb": "tables",
}  # fmt: skip
ASKED = "import time; began = time.perf_counter(); import {}; print(time.perf_counter() - began)"
PYTHON = "/usr/bin/python3"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    workspace = options.folder / "workspace"
    cache = f"--disk_cache={options.folder}/cache"
    mlbuild = [sys.executable, "-m", "mlbuild"]
    names = sorted(set(LIBRARIES.values()))
    if not workspace.exists():
        shutil.copytree(Path(__file__).parents[1] / "end_to_end" / "libraries", workspace)
        subprocess.run([*mlbuild, "lock", cache, "//..."], cwd=workspace, check=True)
        from uv import find_uv_bin

        for name in names:
            venv = options.folder / name
            subprocess.run([find_uv_bin(), "venv", "-q", "--python", PYTHON, venv], check=True)
            subprocess.run(
                [find_uv_bin(), "pip", "sync", "-q", "--python", venv / "bin/python", "--compile-bytecode",
                 *(f"--find-links={each}" for each in os.environ.get("PIP_FIND_LINKS", "").split()),
                 workspace / f"{name}.lock"], check=True,
            )  # fmt: skip
    subprocess.run([*mlbuild, "build", cache, *(f"//:{name}_env" for name in names)], cwd=workspace, check=True)
    taken: dict[str, tuple[list[float], list[float]]] = {each: ([], []) for each in LIBRARIES}
    for _ in range(options.runs + 1):
        for library, name in LIBRARIES.items():
            asked = ["-c", ASKED.format(library)]
            for words, seconds in (
                ([*mlbuild, "run", cache, f"//:{name}_env", "--", "python", *asked], taken[library][0]),
                ([str(options.folder / name / "bin/python"), *asked], taken[library][1]),
            ):
                done = subprocess.run(words, cwd=workspace, check=True, capture_output=True, text=True)
                seconds.append(float(done.stdout))
    when = datetime.datetime.now(datetime.UTC).date()
    print(f"N = {options.runs} after one that is not counted, {when}, {os.cpu_count()} cores, {machine()}\n")
    print("| import | mlbuild, ms | virtual environment, ms | ratio |\n| --- | --- | --- | --- |")
    for library, (ours, theirs) in taken.items():
        one, other = statistics.median(ours[1:]), statistics.median(theirs[1:])
        print(f"| `{library}` | {one * 1000:.0f} | {other * 1000:.0f} | {one / other:.2f} |")


if __name__ == "__main__":
    main()
