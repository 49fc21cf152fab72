"""Folders laid over each other as one, by digest: what only one of them has is never looked into."""

from __future__ import annotations

from collections.abc import Callable

from mlbuild.diagnostics import Diagnostic, UserError
from mlbuild.execution.input_root import MerkleTree, Node, encoded, entries, load
from mlbuild.terms import Digest, TreeValue, Value

_MOST_CONFLICTS = 20


def merge_subdirectories(tree: TreeValue, read: Callable[[Digest], bytes]) -> MerkleTree:
    """The folders directly in `tree` as one.

    Costs as much as there are folders that more than one of them has. Raises UserError naming each path at which two
    of them have different things, and BlobMissing through `read`.
    """
    root: Node = {}
    conflicts: list[Diagnostic] = []
    given = tuple((child.name, child.digest) for child in load(tree.digest, read).directories)
    waiting: list[tuple[str, Node, tuple[tuple[str, Digest], ...]]] = [("", root, given)]
    while waiting:
        prefix, node, layers = waiting.pop()
        first: dict[str, tuple[str, Value]] = {}
        shared: dict[str, dict[tuple[str, Digest], None]] = {}
        for owner, digest in layers:
            for name, value in entries(load(digest, read)).items():
                earlier, known = first.setdefault(name, (owner, value))
                if known == value:
                    continue
                if isinstance(known, TreeValue) and isinstance(value, TreeValue):
                    folders = shared.setdefault(name, {(earlier, known.digest): None})
                    folders[owner, value.digest] = None
                else:
                    conflicts.append(_conflict(prefix + name, earlier, owner))
        for name, (_, value) in first.items():
            if name in shared:
                below: Node = {}
                node[name] = below
                waiting.append((f"{prefix}{name}/", below, tuple(shared[name])))
            else:
                node[name] = value
    if conflicts:
        raise UserError(*sorted(conflicts, key=lambda each: each.message)[:_MOST_CONFLICTS])
    return encoded(root)


def _conflict(path: str, first: str, second: str) -> Diagnostic:
    return Diagnostic(
        "conflicting-files",
        f"`{first}` and `{second}` both have `{path}`, with different content",
        hint=f"only one can be there: leave `{first}` or `{second}` out, or take versions of them that agree",
    )
