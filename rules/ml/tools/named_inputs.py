"""What a command line gives to a user's function by name: partitions of tables, plain files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rules.ml.tools import tables
from rules.ml.tools.user_code import TableInput


def read_inputs(texts: Sequence[str]) -> dict[str, TableInput]:
    """Tables by name; the partitions of one name one after the other, in the order given."""
    folders: dict[str, list[Path]] = {}
    for text in texts:
        name, _, folder = text.partition("=")
        folders.setdefault(name, []).append(Path(folder))
    read = {}
    for name, each in folders.items():
        parts = [(folder.name, tables.read_partition(folder)) for folder in each]
        read[name] = TableInput(tables.concatenate(parts, name), each[0] if len(each) == 1 else None)
    return read


def named_files(texts: Sequence[str]) -> dict[str, object]:
    """Plain files by name, as paths."""
    return {name: Path(path) for name, _, path in (text.partition("=") for text in texts)}
