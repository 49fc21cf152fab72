"""A store, two toolchains made of this machine's own programs, and a runner in a home that others may not enter."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlbuild.files.staging import TreeStore
from mlbuild.reapi import encode_directory
from mlbuild.sandbox import LinuxRunner, probe
from mlbuild.sandbox.seccomp import ARCHITECTURES
from mlbuild.sandbox.surroundings import PROC
from mlbuild.store import DiskStore
from mlbuild.terms import (
    Digest,
    Directory,
    DirectoryNode,
    FileNode,
    Spawn,
    SpawnResult,
    SymlinkNode,
)
from tests.sandbox.walls import WALLS, Wall

LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
PROGRAMS = (
    "sh",
    "cat",
    "ls",
    "env",
    "sleep",
    "mkdir",
    "ln",
    "chmod",
    "mkfifo",
    "id",
    "touch",
    "mv",
    "rm",
    "seq",
    "kill",
    "setsid",
)

Content = bytes | str | tuple[bytes, bool]
"""A file's bytes, a symlink's target, or the bytes of a program with True."""


class Workshop:
    """Builds input roots and runs spawns on them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.store = DiskStore(home / "store")
        self.trees = TreeStore(home / "staged", self.store)
        self.runner = LinuxRunner(self.store, self.trees, home / "sandbox")
        self._shell: Digest | None = None
        self._python: Digest | None = None

    def tree(self, contents: Mapping[str, Content]) -> Digest:
        """The digest of a stored tree. A path that ends in a slash is an empty folder."""
        level: dict[str, dict[str, Content]] = {}
        here: dict[str, Content] = {}
        for path, content in contents.items():
            first, slash, rest = path.partition("/")
            if slash:
                level.setdefault(first, {}).update({rest: content} if rest else {})
            else:
                here[first] = content
        return self.join({name: self.tree(inner) for name, inner in level.items()}, here)

    def join(self, folders: Mapping[str, Digest], files: Mapping[str, Content] = {}) -> Digest:
        nodes: list[FileNode] = []
        links: list[SymlinkNode] = []
        for name, content in sorted(files.items()):
            if isinstance(content, str):
                links.append(SymlinkNode(name, content))
            elif isinstance(content, bytes):
                nodes.append(FileNode(name, self.store.put(content)))
            else:
                nodes.append(FileNode(name, self.store.put(content[0]), content[1]))
        inner = tuple(DirectoryNode(name, digest) for name, digest in sorted(folders.items()))
        return self.store.put(encode_directory(Directory(tuple(nodes), inner, tuple(links))))

    def input_root(self, contents: Mapping[str, Content]) -> Digest:
        """The files of the exec root, beside `shell` and `python`."""
        return self.join(
            {"work": self.tree(contents), "shell": self.shell, "python": self.python},
            {LOADER.parent.name: "shell/lib"},
        )

    @property
    def shell(self) -> Digest:
        if self._shell is None:
            files: dict[str, Content] = {}
            for name in PROGRAMS:
                found = next(path for path in (Path("/bin", name), Path("/usr/bin", name)) if path.exists())
                files[f"bin/{name}"] = (found.read_bytes(), True)
                files.update({f"lib/{library.name}": (library.read_bytes(), True) for library in libraries(found)})
            self._shell = self.tree(files)
        return self._shell

    @property
    def python(self) -> Digest:
        """The interpreter, with as much of the standard library as the probes import."""
        if self._python is None:
            listed = subprocess.run(
                [sys.executable, "-I", "-S", "-c", PROBE_MODULES], check=True, capture_output=True, text=True
            ).stdout.splitlines()
            executable, home, *modules = listed
            files: dict[str, Content] = {"bin/python3": (Path(executable).read_bytes(), True)}
            binaries = [Path(executable), *(Path(module) for module in modules if ".so" in Path(module).name)]
            for library in {library for binary in binaries for library in libraries(binary)}:
                files[f"lib/{library.name}"] = (library.read_bytes(), True)
            for module in modules:
                place = Path(module).relative_to(home)
                files[f"lib/{Path(home).name}/{place}"] = Path(module).read_bytes()
            self._python = self.tree(files)
        return self._python

    def spawn(self, command: tuple[str, ...], contents: Mapping[str, Content], **more: object) -> Spawn:
        environment = (("LD_LIBRARY_PATH", "/shell/lib:/python/lib"), ("PATH", "/shell/bin"))
        return Spawn(command, environment, self.input_root(contents), **{"output_paths": (), **more})  # type: ignore[arg-type]

    def sh(self, script: str, contents: Mapping[str, Content] = {}, **more: object) -> SpawnResult:
        """Runs a shell script. `output_paths` and the like as in `Spawn`."""
        return self.runner.run(self.spawn((*SHELL, "-c", script), contents, **more))

    def py(self, program: str, contents: Mapping[str, Content] = {}, **more: object) -> SpawnResult:
        return self.runner.run(self.spawn((*PYTHON, "-c", program), contents, **more))

    def text(self, digest: Digest) -> str:
        return self.store.get(digest).decode()

    @property
    def shell_command(self) -> tuple[str, ...]:
        return SHELL

    @property
    def python_command(self) -> tuple[str, ...]:
        return PYTHON

    def close(self) -> None:
        self.runner.close()
        self.trees.close()


LOADER = next((Path(path) for path in LOADERS if Path(path).exists()), Path())
SHELL = (f"../shell/lib/{LOADER.name}", "--library-path", "../shell/lib", "../shell/bin/sh")
PYTHON = (f"../python/lib/{LOADER.name}", "--library-path", "../python/lib", "../python/bin/python3", "-I", "-S")
PROBE_MODULES = """
import sys, os, encodings.utf_8, ctypes, socket, fcntl, json, struct, select, resource, signal, time, threading, stat, mmap, array, errno, termios
print(os.path.realpath(sys.executable))
print(os.path.dirname(os.__file__))
for module in list(sys.modules.values()):
    if getattr(module, "__file__", None):
        print(module.__file__)
"""


def libraries(program: Path) -> tuple[Path, ...]:
    """The shared libraries that the loader would load, and the loader."""
    listed = subprocess.run([str(LOADER), "--list", str(program)], check=True, capture_output=True, text=True).stdout
    words = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
    return (LOADER, *(Path(word) for word in words if Path(word) != program))


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    if Path() == LOADER:
        pytest.skip("no loader that this test knows")
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    if not (status := probe(home)).is_hermetic:
        pytest.skip(f"no sandbox here: {status.summary}")
    made = Workshop(home)
    yield made
    made.close()


@pytest.fixture
def as_root() -> None:
    if os.getuid() != 0:
        pytest.skip("needs root")


@pytest.fixture(scope="session")
def walls() -> dict[str, Wall]:
    return WALLS


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """Places of the host that an action must not reach, and what else the probes are told."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "file").write_bytes(b"x")
    (folder / "input").write_bytes(b"x")
    calls = ARCHITECTURES[platform.machine()]
    abstract = f"\0mlbuild-test-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        listening(abstract),
        listening(str(folder / "socket")),
        subprocess.Popen(["sleep", "600"]) as process,
    ):
        yield {
            "numbers": {**calls.allowed, **calls.refused, "memfd_secret": 447},
            "masks": {name: content.decode() for name, content in PROC.items()},
            "loopback": list(server.getsockname()),
            "abstract": abstract,
            "path-socket": str(folder / "socket"),
            "folder": str(folder),
            "file": str(folder / "file"),
            "input": str(folder / "input"),
            "pid": process.pid,
        }
        process.kill()


@contextmanager
def listening(address: str) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        yield
