"""Compiled files, kept: the same bytes are never compiled twice."""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib_external import MAGIC_NUMBER

from mlbuild.diagnostics import Location
from mlbuild.lang.ahead import FEWEST, start
from mlbuild.lang.private import PrivateFolder
from mlbuild.lang.program import Load, Program, compile_program
from mlbuild.records import as_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from subprocess import Popen

    from mlbuild.lang.dialect import Dialect
    from mlbuild.lang.errors import Source

VERSION = 12
"""Of the code that the lowering makes: counts up with every change of it, so that cached code is made anew."""


class ProgramCache:
    """Compiled files by what decides them, in memory and, if a folder is given, on disk.

    Compiled code is code: the folder must be the user's own, with mode 0700, or it is not used. An entry that was damaged
    is made anew; two processes that write the same entry each put a whole file in place.
    """

    def __init__(self, folder: str | os.PathLike[str] | None) -> None:
        self._kept = PrivateFolder(folder, ".program")
        self._programs: dict[str, Program] = {}
        self._helpers: list[Popen[bytes]] = []
        self._about: dict[tuple[Dialect, frozenset[str]], str] = {}

    def get(
        self, source: Source, path: str, dialect: Dialect, names: frozenset[str], content: str | None = None
    ) -> Program:
        """The compiled file, from memory, disk or the compiler. Raises `StarlarkError` with what is wrong in the file.

        A host that knows a digest of the bytes gives it as `content`, and `source` as a function: then an unchanged file is not read.
        """
        key = self._key(source, path, dialect, names, content)
        program = self._programs.get(key)
        if program is None:
            program = self._read(key, source, path)
            if program is None:
                program = compile_program(source if isinstance(source, bytes) else source(), path, dialect, names)
                self._kept.write(key, _dump(program, key))
            self._programs[key] = program
        return program

    def ahead(self, files: Iterable[tuple[Source, str, str]], dialect: Dialect, names: frozenset[str]) -> None:
        """Says which files (source, path, content) will be asked for, in this order: other processors begin with the last.

        `close` ends what they have not done.
        """
        wanted = []
        for source, path, content in files:
            key = self._key(source, path, dialect, names, content)
            file = self._kept.file(key)
            if file is not None and key not in self._programs and not os.path.exists(file):
                wanted.append((key, path, source))
        if len(wanted) >= FEWEST:
            read = [(key, path, source if isinstance(source, bytes) else source()) for key, path, source in wanted]
            self._helpers += start(f"{self._kept.path}", read, as_values(dialect), names)

    def close(self) -> None:
        """Ends the helpers. A program may be asked for after that, too."""
        for helper in self._helpers:
            helper.kill()
            helper.wait()
        self._helpers.clear()

    def make(self, key: str, source: bytes, path: str, dialect: Dialect, names: frozenset[str]) -> None:
        """Compiles and keeps the file, unless that was done. Raises `StarlarkError`."""
        file = self._kept.file(key)
        if file is not None and not os.path.exists(file):
            self._kept.write(key, _dump(compile_program(source, path, dialect, names), key))

    def _key(self, source: Source, path: str, dialect: Dialect, names: frozenset[str], content: str | None) -> str:
        from xxhash import xxh3_128_hexdigest

        about = self._about.get((dialect, names))
        if about is None:
            parts = (VERSION, MAGIC_NUMBER, sys.version_info[:3], dialect, sorted(names))
            about = self._about[dialect, names] = repr(parts)
        if content is None:
            content = xxh3_128_hexdigest(source if isinstance(source, bytes) else source())
        return xxh3_128_hexdigest(f"{about}\0{content}\0{path}".encode("utf-8", "surrogatepass"))

    def _read(self, key: str, source: Source, path: str) -> Program | None:
        data = self._kept.read(key)
        return None if data is None else _load(data, key, source, path)


def _dump(program: Program, key: str) -> bytes:
    loads = tuple((each.module, each.bindings, each.location.line, each.location.column) for each in program.loads)
    return marshal.dumps((key, program.code, program.places, loads, program.globals))


def _load(body: memoryview, key: str, source: Source, path: str) -> Program | None:
    try:
        found, code, places, loads, names = marshal.loads(body)
    except (ValueError, EOFError, TypeError):
        return None
    if found != key:
        return None
    made = tuple(Load(module, pairs, Location(path, line, column)) for module, pairs, line, column in loads)
    return Program(path, source, code, places, made, names)
