"""What was collected from this host, remembered by the states of all files that decided it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping

from mlbuild.fetch.tree import HostFile, Piece, keep_tree, unreadable
from mlbuild.files.kept import replace_whole
from mlbuild.files.last_build import Witness, witness
from mlbuild.records import record
from mlbuild.seams import ContentStore
from mlbuild.terms import Digest, TreeValue

_FORMAT = 1
_SETTLED_NS = 2_000_000_000
"""Some file systems keep times in steps of up to two seconds: a younger state proves nothing."""


@record
class Plan:
    """What a tree will consist of, and the other files and folders that the plan was made from."""

    pieces: Mapping[str, Piece]
    watched: tuple[str, ...] = ()


class Collected:
    """Trees made of this host's files: planned and hashed again only when a file behind them may have changed.

    `folder` keeps a small file for each; losing or damaging one costs time only.
    """

    def __init__(self, folder: str, store: ContentStore, now: Callable[[], int] = time.time_ns) -> None:
        self._folder = folder
        self._store = store
        self._now = now
        self._lock = threading.Lock()
        self._witnesses: set[Witness] = set()

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        """Every path of this host that a tree given so far depends on, as it looked; sorted."""
        return tuple(sorted(self._witnesses))

    def tree(self, name: str, plan: Callable[[], Plan]) -> TreeValue:
        """The tree called `name`, from memory or made as `plan` says. Raises what `plan` raises, and UserError."""
        with self._lock:
            return self._recall(name) or self._collect(name, plan())

    def _collect(self, name: str, plan: Plan) -> TreeValue:
        paths = {piece.path for piece in plan.pieces.values() if isinstance(piece, HostFile)} | set(plan.watched)
        began = self._now()
        before = [_look(path) for path in sorted(paths)]
        kept = keep_tree(plan.pieces, self._store)
        self._witnesses.update(before)
        if all(max(each[3:5]) + _SETTLED_NS < began for each in before):
            content = {
                "name": name,
                "tree": str(kept.tree.digest),
                "blobs": [str(blob) for blob in kept.blobs],
                "witnesses": before,
            }
            self._store.flush()  # a memory that outlives a power cut must not speak of blobs that did not
            _write(self._memo(name), json.dumps(content, separators=(",", ":")).encode())
        return kept.tree

    def _recall(self, name: str) -> TreeValue | None:
        try:
            with open(self._memo(name), "rb") as file:  # noqa: PTH123
                head, _, body = file.read().partition(b"\n")
            if head != _head(body):
                return None
            content = json.loads(body)
            witnesses: list[Witness] = [tuple(each) for each in content["witnesses"]]
            blobs = [Digest.parse(blob) for blob in content["blobs"]]
            tree = TreeValue(Digest.parse(content["tree"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        if content["name"] != name or any(_look(each[0]) != each for each in witnesses) or self._store.missing(blobs):
            return None
        self._witnesses.update(witnesses)
        return tree

    def _memo(self, name: str) -> str:
        return os.path.join(self._folder, f"{Digest.of(name.encode()).hash[:32]}.json")


def _look(path: str) -> Witness:
    try:
        return witness(path, "directory" if os.path.isdir(path) else "file")
    except OSError as error:
        raise unreadable(path, error) from None


def _head(body: bytes) -> bytes:
    return f"mlbuild collected {_FORMAT} {Digest.of(body).hash}".encode()


def _write(path: str, body: bytes) -> None:
    """A memo that cannot be written is not worth failing a build for: the next build collects again."""
    replace_whole(path, _head(body) + b"\n" + body)
