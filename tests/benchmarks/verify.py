"""What verifying costs beside building: a small slice of the flights example, each from an empty cache, by turns.

    python tests/benchmarks/verify.py [--runs 1] [--target //models:ranker]

Prints the seconds of each and their ratio. Packages are fetched too, in both.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlbuild.files.remove import remove_tree

ROOT = Path(__file__).parents[2]
SMALL_FLIGHTS = ROOT / "tests/rules/ml/small_flights/workspace.py"


def seconds_of(command: str, target: str, folder: Path, cache: Path) -> float:
    """From an empty cache, which is removed afterwards. Raises CalledProcessError where it does not end with 0."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-P", "-m", "mlbuild", command, f"--disk_cache={cache}", "--noshow_progress", target],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
    )  # fmt: skip
    took = time.perf_counter() - began
    remove_tree(cache)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--target", default="//models:ranker")
    given = parser.parse_args()
    spec = importlib.util.spec_from_file_location("small_flights_workspace", SMALL_FLIGHTS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    taken: dict[str, list[float]] = {"build": [], "verify": []}
    with tempfile.TemporaryDirectory() as folder:
        workspace = module.small_flights(Path(folder) / "flights")
        for _ in range(given.runs):
            for command, seconds in taken.items():
                seconds.append(seconds_of(command, given.target, workspace, Path(folder) / "cache"))
    print("| command | s (min) | s (median) |\n| --- | --- | --- |")
    for command, seconds in taken.items():
        print(f"| `mlbuild {command} {given.target}` | {min(seconds):.1f} | {statistics.median(seconds):.1f} |")
    ratio = statistics.median(taken["verify"]) / statistics.median(taken["build"])
    print(f"\nRatio of the medians: {ratio:.2f}.")


if __name__ == "__main__":
    main()
