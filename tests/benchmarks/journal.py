"""What the journal of builds costs, and how fast `mlbuild why` answers.

    python tests/benchmarks/journal.py [--actions 10000] [--runs 5] [--sandbox none]

Builds the graph of `graph.py`, then one root edited; asks why the last target ran, with nearly all actions behind it.
Processor time (user and system) of whole commands; what the journal takes of a build is measured inside one.
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

sys.path.insert(0, str(Path(__file__).parent))
from graph import PER_PACKAGE, machine, write_workspace

INSIDE = """\
import sys, time
from mlbuild.__main__ import run
import mlbuild.session.journaling as journaling
noted = journaling.note
def note(*arguments, **named):
    began = time.process_time()
    try:
        return noted(*arguments, **named)
    finally:
        print("journal", time.process_time() - began, time.process_time(), file=sys.stderr)
journaling.note = note
run()
"""


def spent(words: list[str], folder: Path) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Processor seconds of a command and all that it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sandbox", default="none")
    options = parser.parse_args()
    last = f"//p{options.actions // PER_PACKAGE - 1}:t0"
    taken: dict[str, list[float]] = {"why": [], "why --output=json": [], "version": [], "journal": [], "build": []}
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "workspace")
        folder.mkdir()
        write_workspace(folder, options.actions)
        cache = f"--disk_cache={root}/cache"
        start = [sys.executable, "-m", "mlbuild"]
        build = [sys.executable, "-c", INSIDE, "build", "//...", cache, f"--sandbox={options.sandbox}"]
        spent(build, folder)
        for run in range(options.runs):
            with (folder / "p0/s0.txt").open("a") as first:
                first.write(f"more {run}\n")
            taken["build"].append((found := spent(build, folder))[0])
            (said,) = [line for line in found[1].stderr.splitlines() if line.startswith("journal ")]
            taken["journal"].append(float(said.split()[1]))
            taken["version"].append(spent([*start, "version"], folder)[0])
            seconds, told = spent([*start, "why", cache, last], folder)
            taken["why"].append(seconds)
            assert "p0/s0.txt" in told.stdout, told.stdout
            taken["why --output=json"].append(spent([*start, "why", cache, "--output=json", last], folder)[0])
        subprocess.run(["chmod", "-R", "u+w", root], check=True)
    when = datetime.datetime.now(datetime.UTC).date()
    print(f"{options.actions} actions, N = {options.runs}, {when}, {os.cpu_count()} cores, {machine()}\n")
    print("| processor time | least, ms | middle, ms |\n| --- | --- | --- |")
    for name, seconds in taken.items():
        print(f"| {name} | {min(seconds) * 1000:.0f} | {statistics.median(seconds) * 1000:.0f} |")
    print(f"\nthe journal's part of a build: {min(taken['journal']) / min(taken['build']):.2%}")


if __name__ == "__main__":
    main()
