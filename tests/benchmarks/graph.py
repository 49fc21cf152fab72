"""A graph of small actions, built cold, again, after an edit, from the cache: beside `sh` running the same commands.

    python tests/benchmarks/graph.py [--actions 1000] [--runs 3]

Prints a table of minimum wall seconds and of ratios to `sh` in the same run, with N, date and machine.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PER_PACKAGE = 50


def write_workspace(folder: Path, actions: int) -> list[str]:
    """A layered graph: each action joins its own source and two outputs of the layer before. Returns the commands."""
    (folder / "WORKSPACE.ml").write_text('workspace(name = "graph")\n')
    commands: list[str] = []
    for package in range(actions // PER_PACKAGE):
        place = folder / f"p{package}"
        place.mkdir()
        targets: list[str] = []
        for number in range(PER_PACKAGE):
            (place / f"s{number}.txt").write_text(f"{package} {number}\n")
            before = [(number * 3 + k) % PER_PACKAGE for k in range(2)] if package else []
            sources = [f"s{number}.txt", *(f"//p{package - 1}:t{each}.out" for each in before)]
            listed = ", ".join(f'"{source}"' for source in sources)
            targets.append(
                f'genrule(name = "t{number}", srcs = [{listed}], outs = ["t{number}.out"], '
                'cmd = "cat $(SRCS) > $@", visibility = ["//visibility:public"])'
            )
            inputs = [f"p{package}/s{number}.txt", *(f"out/p{package - 1}/t{each}.out" for each in before)]
            commands.append(f"cat {' '.join(inputs)} > out/p{package}/t{number}.out")
        (place / "BUILD.ml").write_text("\n".join(targets) + "\n")
    return commands


def measured(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def direct(folder: Path, commands: list[str]) -> None:
    """The same commands, a shell each, as many at once as there are processors, in the order of the layers."""
    for package in range(len(commands) // PER_PACKAGE):
        (folder / f"out/p{package}").mkdir(parents=True, exist_ok=True)
    for start in range(0, len(commands), PER_PACKAGE):
        layer = "\0".join(commands[start : start + PER_PACKAGE])
        subprocess.run(
            ["xargs", "-0", "-P", str(os.cpu_count()), "-I", "{}", "sh", "-c", "{}"],
            input=layer.encode(), cwd=folder, check=True,
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    times: dict[str, list[float]] = {}
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as root:
            folder = Path(root, "workspace")
            folder.mkdir()
            commands = write_workspace(folder, options.actions)

            def build(root: str = root, folder: Path = folder) -> None:
                subprocess.run(
                    [sys.executable, "-m", "mlbuild", "build", "//...", f"--disk_cache={root}/cache"],
                    cwd=folder, check=True, capture_output=True,
                )  # fmt: skip

            def note(name: str, do: Callable[[], object]) -> None:
                times.setdefault(name, []).append(measured(do))

            note("sh, cold", lambda folder=folder, commands=commands: direct(folder, commands))  # type: ignore[misc]
            shutil.rmtree(folder / "out")
            note("cold", build)
            note("again at once", build)
            note("nothing to do", build)
            with (folder / f"p{options.actions // PER_PACKAGE - 1}/s7.txt").open("a") as leaf:
                leaf.write("more\n")
            note("one leaf", build)
            with (folder / "p0/s0.txt").open("a") as first:
                first.write("more\n")
            note("one root", build)
            shutil.rmtree(folder / "mlbuild-out")
            note("outputs removed", build)
            subprocess.run(["chmod", "-R", "u+w", root], check=True)
    floor = min(times["sh, cold"])
    when = datetime.datetime.now(datetime.UTC).date()
    print(f"{options.actions} actions, N = {options.runs}, {when}, {os.cpu_count()} cores, {machine()}")
    print()
    print("| phase | seconds (min) | of `sh`, cold |\n| --- | --- | --- |")
    for name, seconds in times.items():
        print(f"| {name} | {min(seconds):.3f} | {min(seconds) / floor:.3f} |")


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return f"{model}, Python {platform.python_version()}, Linux {platform.release()}"


if __name__ == "__main__":
    main()
