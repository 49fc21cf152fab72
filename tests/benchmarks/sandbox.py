"""What the sandbox costs an action: the same command run in it and as a plain process, in turn.

    python -m tests.benchmarks.sandbox [--rounds 200]

Prints, in milliseconds, the least and the middle of: the whole spawn in a sandbox (staging, control groups, collection),
bubblewrap alone with the same arguments, the same spawn without a sandbox, and the command started and waited for.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mlbuild.sandbox import LinuxRunner, PlainRunner
from mlbuild.sandbox.spawning import SandboxOutcome, SandboxRequest, Spawner
from mlbuild.terms import Spawn
from tests.benchmarks.graph import machine
from tests.sandbox.conftest import SHELL, Workshop


def milliseconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where to do it; else the usual temporary folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        workshop = Workshop(Path(folder))
        spawn = workshop.spawn(
            (*SHELL, "-c", "echo > out"), {f"in/{each}": b"%d" % each for each in range(10)}, output_paths=("out",)
        )
        started = _instrumented()
        runner = LinuxRunner(workshop.store, workshop.trees, workshop.home / "sandbox")
        plain = PlainRunner(workshop.store, workshop.trees, workshop.home / "plain")
        ways = {
            "in a sandbox": lambda: _well(runner, spawn),
            "without": lambda: _well(plain, spawn),
            "the command alone": lambda: subprocess.run(["/bin/sh", "-c", ":"], check=True),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for do in ways.values():
            do()
        started.clear()
        for _ in range(asked.rounds):
            for name, do in ways.items():
                times[name].append(milliseconds(do))
        for each in (runner, plain, workshop):
            each.close()
    print(machine())
    for name, measured in {**times, "bubblewrap alone": started}.items():
        print(f"{name:20} {min(measured):6.2f} least {statistics.median(measured):6.2f} in the middle")
    more = statistics.median(times["in a sandbox"]) - statistics.median(times["without"])
    print(f"a sandbox costs an action {more:.1f} ms more than no sandbox, in the middle")


def _well(runner: LinuxRunner | PlainRunner, spawn: Spawn) -> None:
    result = runner.run(spawn)
    assert result.is_success, result


def _instrumented() -> list[float]:
    """The milliseconds of every bubblewrap from here on."""
    told: list[float] = []
    whole = Spawner.run

    def run(
        self: Spawner, request: SandboxRequest, stdout: int, stderr: int, watch: Callable[[int], str] | None = None
    ) -> SandboxOutcome:
        outcome = whole(self, request, stdout, stderr, watch)
        told.append(outcome.seconds * 1000)
        return outcome

    Spawner.run = run  # type: ignore[method-assign]
    return told


if __name__ == "__main__":
    main()
