"""What safety costs: a graph of small actions with everything that makes the store trusted, and with it switched off.

    python tests/benchmarks/safety.py [--actions 1000] [--rounds 7]

Both are built in turn, so that a busy machine is busy for both: part of the actions cold in each round, and all of them
from the cache. Switched off are flushes, hashing of blobs before they are given out, the checksums of results, the look
at staged trees, and whether a result has all its files: from here, since users have no way to. Prints seconds of wall
clock and of processors (mlbuild's own), and the ratios.
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

from mlbuild.terms import EMPTY, Digest, SpawnResult
from tests.benchmarks.graph import PER_PACKAGE, machine, measured, write_workspace

REPOSITORY = Path(__file__).parents[2]


def careless(argv: list[str]) -> int:
    """mlbuild's command line, with all checks switched off."""
    from mlbuild.cli import main
    from mlbuild.files import tree_list
    from mlbuild.reapi import decode_result
    from mlbuild.store import completeness, disk, durable, entries, flushed

    def unchecked(self: disk.DiskStore, digest: Digest) -> bytes:
        if digest == EMPTY:
            return b""
        descriptor = self._open(digest)
        try:
            return self._read_all(digest, descriptor)
        finally:
            os.close(descriptor)

    def unsummed(content: bytes) -> tuple[Digest, SpawnResult]:
        answered, _, encoded = content[len(entries.MAGIC) + 32 :].partition(b"\n")
        return Digest.parse(answered.decode("ascii")), decode_result(encoded)

    vars(durable)["sync_file_system"] = lambda folder: None
    vars(entries)["decoded"] = unsummed
    vars(tree_list)["looked_over"] = lambda known, root, mtime_ns: known
    disk.DiskStore._check = lambda self, digest, descriptor: None  # type: ignore[method-assign]
    disk.DiskStore.get = unchecked  # type: ignore[method-assign]
    flushed.Flushed.note = lambda self, began_ns: None  # type: ignore[method-assign]
    completeness.Completeness.is_complete = lambda self, result: True  # type: ignore[method-assign]
    return main(argv, os.environ)


def careful(argv: list[str]) -> int:
    from mlbuild.cli import main

    return main(argv, os.environ)


def build(how: str, folder: Path, cache: Path) -> tuple[float, float]:
    """Seconds of wall clock, and of processors in mlbuild itself, of one build."""
    argv = [sys.executable, "-m", "tests.benchmarks.safety", "--do", how, "build", "//...", f"--disk_cache={cache}"]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    def do() -> None:
        subprocess.run(argv, cwd=folder, check=True, capture_output=True, env=environ)

    wall = measured(do)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def forget(folder: Path, cache: Path) -> None:
    """Leaves the results alone: no outputs, no memory of the last build."""
    for each in (folder / "mlbuild-out", cache / "state"):
        remove(each)


def remove(folder: Path) -> None:
    subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    subprocess.run(["rm", "-rf", folder], check=True)


def new_workspace(root: Path) -> tuple[Path, Path]:
    """An empty one, and a cache that has what is collected from the machine once in a cache's life: the shell."""
    folder, cache = root / "workspace", root / "cache"
    folder.mkdir()
    (folder / "WORKSPACE.ml").write_text("")
    (folder / "BUILD.ml").write_text('genrule(name = "shell", outs = ["shell"], cmd = "echo > $@")\n')
    build("careful", folder, cache)
    (folder / "BUILD.ml").unlink()
    return folder, cache


def keep_outputs_small(folder: Path) -> None:
    """At most 4 KiB each, where they would be twice as long in each layer as in the one before."""
    for file in folder.glob("p*/BUILD.ml"):
        file.write_text(file.read_text().replace("cat $(SRCS) >", "cat $(SRCS) | tail -c 4096 >"))


Found = dict[tuple[str, str], list[tuple[float, float]]]


def measure_cold(actions: int, rounds: int, found: Found) -> None:
    for number in range(rounds):
        for how in in_turn(number):
            with tempfile.TemporaryDirectory() as root:
                folder, cache = new_workspace(Path(root))
                write_workspace(folder, max(actions // rounds, PER_PACKAGE))
                found.setdefault(("cold", how), []).append(build(how, folder, cache))
                subprocess.run(["chmod", "-R", "u+w", root], check=True)


def measure_warm(phase: str, actions: int, rounds: int, are_small: bool, found: Found) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder, cache = new_workspace(Path(root))
        write_workspace(folder, actions)
        if are_small:
            keep_outputs_small(folder)
        build("careful", folder, cache)
        for number in range(rounds):
            for how in in_turn(number):
                forget(folder, cache)
                found.setdefault((phase, how), []).append(build(how, folder, cache))
        subprocess.run(["chmod", "-R", "u+w", root], check=True)


def in_turn(number: int) -> tuple[str, str]:
    return ("careful", "careless") if number % 2 else ("careless", "careful")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    found: Found = {}
    measure_cold(options.actions, options.rounds, found)
    measure_warm("from the cache, outputs of 4 KiB", options.actions, options.rounds, True, found)
    measure_warm("from the cache, outputs of up to megabytes", options.actions, options.rounds, False, found)
    when = datetime.datetime.now(datetime.UTC).date()
    print(f"N = {options.rounds} each way, in turn, {when}, {os.cpu_count()} cores, {machine()}\n")
    print("| phase | checks on: wall, CPU s | off: wall, CPU s | wall on / off | CPU on / off | least CPU on / off |")
    print("| --- | --- | --- | --- | --- | --- |")
    for phase in dict.fromkeys(phase for phase, _ in found):
        on, off = found[phase, "careful"], found[phase, "careless"]
        medians = [statistics.median(each[index] for each in side) for side in (on, off) for index in (0, 1)]
        ratios = [statistics.median(a[index] / b[index] for a, b in zip(on, off, strict=True)) for index in (0, 1)]
        least = min(cpu for _, cpu in on) / min(cpu for _, cpu in off)
        print(
            f"| {phase} | {medians[0]:.2f}, {medians[1]:.2f} | {medians[2]:.2f}, {medians[3]:.2f} "
            f"| {ratios[0]:.3f} | {ratios[1]:.3f} | {least:.3f} |"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--do"]:
        sys.exit({"careful": careful, "careless": careless}[sys.argv[2]](sys.argv[3:]))
    main()
