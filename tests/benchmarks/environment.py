"""An environment of 30 wheels with 1,000 files each: merged, staged, and mounted into an action, beside one without it.

    python tests/benchmarks/environment.py [--wheels 30] [--files 1000] [--runs 20]

Prints a table of minimum and median seconds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mlbuild.execution.input_root import merkle_tree
from mlbuild.execution.merging import merge_subdirectories
from mlbuild.fetch import HostFetcher
from mlbuild.files.staging import TreeStore
from mlbuild.sandbox import LinuxRunner
from mlbuild.store import DiskStore
from mlbuild.terms import Artifact, Digest, FetchAction, FileValue, Label, Spawn, SymlinkValue, TreeValue, Value


def measured(do: Callable[[], object], runs: int) -> tuple[float, float]:
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        do()
        seconds.append(time.perf_counter() - began)
    return min(seconds), statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", type=int, default=30)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args()
    rows: list[tuple[str, tuple[float, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        store = DiskStore(home / "store")
        trees = TreeStore(home / "staged", store)
        runner = LinuxRunner(store, trees, home / "sandbox")
        owner = Label("", "", "tools")
        tools = FetchAction(owner, "host_tools", (("tools", "true"),), Artifact("tools", owner, False, True))
        shell = HostFetcher(store, str(home / "memory")).fetch(tools, {})
        files: dict[str, Value] = {
            f"w{wheel}/p{wheel}/m{number // 50}/f{number}.py": FileValue(store.put(f"{wheel} {number}\n".encode()))
            for wheel in range(given.wheels)
            for number in range(given.files)
        }
        wheels = merkle_tree(files, store.get)
        wheels.keep_in(store)
        rows.append(("merge", measured(lambda: merge_subdirectories(TreeValue(wheels.digest), store.get), given.runs)))
        merged = merge_subdirectories(TreeValue(wheels.digest), store.get)
        merged.keep_in(store)

        def root(mounts: dict[str, Value]) -> Digest:
            tree = merkle_tree({"python": shell, "lib": SymlinkValue("python/lib"), **mounts}, store.get)
            tree.keep_in(store)
            return tree.digest

        def action(at: Digest) -> Callable[[], None]:
            def run() -> None:
                line = ("/python/lib/ld.so", "--library-path", "/python/lib", "/python/bin/true")
                assert runner.run(Spawn(line, (), at, (), (), (), 60)).exit_code == 0

            return run

        bare, whole = root({}), root({"python-packages": TreeValue(merged.digest)})
        action(bare)()
        rows.append(("staged once, with the first action", measured(action(whole), 1)))
        rows.append(("action without it", measured(action(bare), given.runs)))
        rows.append(("action with it", measured(action(whole), given.runs)))
        rows.append(("action without it, again", measured(action(bare), given.runs)))
        rows.append(("action with it, again", measured(action(whole), given.runs)))
        runner.close()
    print("| what | ms (min) | ms (median) |\n| --- | --- | --- |")
    for name, (least, middle) in rows:
        print(f"| {name} | {least * 1000:.1f} | {middle * 1000:.1f} |")


if __name__ == "__main__":
    main()
