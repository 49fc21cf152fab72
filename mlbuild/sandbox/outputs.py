"""What a spawn left in its working folder, put into the store: the declared outputs, and what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

from mlbuild.files.collect import BlobSink, OddOutput, collect
from mlbuild.terms import FileValue, Spawn, TreeValue


def collect_outputs(
    work: Path, spawn: Spawn, store: BlobSink
) -> tuple[tuple[tuple[str, FileValue | TreeValue], ...], tuple[str, ...]]:
    """The outputs that are there and as declared, and what is wrong with the others. Every process must be dead."""
    outputs: list[tuple[str, FileValue | TreeValue]] = []
    missing: list[str] = []
    faults: list[str] = []
    directories = frozenset(spawn.output_directories)
    root = os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for path in sorted(spawn.output_paths):
            try:
                value = collect(root, path, store)
            except FileNotFoundError:
                missing.append(f"`{path}`")
                continue
            except OddOutput as error:
                faults.append(str(error))
                continue
            if isinstance(value, TreeValue) == (path in directories):
                outputs.append((path, value))
            elif path in directories:
                faults.append(f"`{path}` is a file, but a folder was declared")
            else:
                faults.append(f"`{path}` is a folder, but a file was declared")
    finally:
        os.close(root)
    if missing:
        faults.insert(0, f"it ended well but did not write {', '.join(missing)}")
    return tuple(outputs), tuple(faults)
