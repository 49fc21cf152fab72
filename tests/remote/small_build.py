"""A build of three actions with a fake sandbox, over real doors: what came out, what ran, what was said."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlbuild.diagnostics import Diagnostic
from mlbuild.execution.caching import CachingRunner
from mlbuild.reapi import decode_directory, encode_directory
from mlbuild.records import replace
from mlbuild.remote import Remote, Settings
from mlbuild.remote.settings import endpoint_of
from mlbuild.seams import ContentStore
from mlbuild.store import MemoryActionCache, MemoryStore
from mlbuild.terms import (
    Digest,
    Directory,
    DirectoryNode,
    FileNode,
    FileValue,
    Spawn,
    SpawnResult,
    SymlinkNode,
    TreeValue,
)

BIG = bytes(range(256)) * 9000
"""More than goes into one message."""

SMALL = b"small\n"


def spawn(name: str, outputs: tuple[str, ...], directories: tuple[str, ...] = ()) -> Spawn:
    return Spawn((name,), (), Digest.of(b""), outputs, directories)


SPAWNS = (spawn("small", ("out/small",)), spawn("tree", ("out/tree",), ("out/tree",)), spawn("big", ("out/big",)))

EXPECTED: Mapping[str, object] = {
    "out/small": (SMALL, True),
    "out/tree": {"a": (b"a\n", False), "in/b": (b"b\n", True), "in/link": "../a"},
    "out/big": (BIG, False),
}


class FakeSandbox:
    """Runs the three, always to the same end."""

    def __init__(self, store: ContentStore, name: str = "linux-sandbox") -> None:
        self._store = store
        self._name = name
        self.ran: list[str] = []

    def run(self, spawn: Spawn) -> SpawnResult:
        name = spawn.arguments[0]
        self.ran.append(name)
        value: FileValue | TreeValue
        if name == "small":
            value = FileValue(self._store.put(SMALL), True)
        elif name == "big":
            value = FileValue(self._store.put(BIG))
        else:
            value = TreeValue(tree(self._store))
        return SpawnResult(
            0,
            ((f"out/{name}", value),),
            self._store.put(f"{name} said\n".encode()),
            runner=self._name,
            wall_seconds=1.5,
        )


def tree(store: ContentStore) -> Digest:
    inner = Directory((FileNode("b", store.put(b"b\n"), True),), (), (SymlinkNode("link", "../a"),))
    folder = DirectoryNode("in", store.put(encode_directory(inner)))
    return store.put(encode_directory(Directory((FileNode("a", store.put(b"a\n")),), (folder,))))


@dataclass
class Built:
    """One build with a store of its own."""

    outputs: dict[str, object] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    is_ended: bool = False
    remote: list[str] = field(default_factory=list)


def build(
    url: str,
    spawns: tuple[Spawn, ...] = SPAWNS,
    seconds: float = 20.0,
    sandbox: str = "linux-sandbox",
    **changes: object,
) -> Built:
    """Builds in a thread, so that what hangs is seen."""
    built = Built()
    problem: list[BaseException] = []

    def work() -> None:
        try:
            _build(built, url, spawns, sandbox, changes)
        except BaseException as error:
            problem.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if problem:
        raise problem[0]
    return built


def _build(built: Built, url: str, spawns: tuple[Spawn, ...], name: str, changes: dict[str, object]) -> None:
    store = MemoryStore()
    sandbox = FakeSandbox(store, name)
    settings = replace(Settings(endpoint_of(url), timeout_seconds=0.4, retries=1, connections=4), **changes)
    remote = Remote(settings, {}, store, built.warnings.append)
    runner = CachingRunner(remote.behind(MemoryActionCache(store)), remote.giving(sandbox))
    try:
        for each in spawns:
            result = runner.run(each)
            built.outputs |= {path: seen(value, store) for path, value in result.outputs}
            if result.is_from_remote:
                built.remote.append(each.arguments[0])
        remote.finish(built.said.append)
    finally:
        remote.close()
    built.ran = sandbox.ran
    built.is_ended = True


def seen(value: FileValue | TreeValue, store: ContentStore) -> object:
    """What a person would find: bytes, mode and links, by path."""
    if isinstance(value, FileValue):
        return store.get(value.digest), value.is_executable
    found: dict[str, object] = {}
    waiting = [("", value.digest)]
    while waiting:
        prefix, digest = waiting.pop()
        directory = decode_directory(store.get(digest))
        found |= {prefix + file.name: (store.get(file.digest), file.is_executable) for file in directory.files}
        found |= {prefix + link.name: link.target for link in directory.symlinks}
        waiting += [(f"{prefix}{child.name}/", child.digest) for child in directory.directories]
    return found
