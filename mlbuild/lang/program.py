"""Compiled files: made from source, kept by content, run with what they are given."""

from __future__ import annotations

import marshal
import os
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from mlbuild.diagnostics import Diagnostic, Location, did_you_mean
from mlbuild.lang.check import decode, refusal, too_deep
from mlbuild.lang.dialect import Dialect
from mlbuild.lang.errors import MARK, ModuleText, StarlarkError, located, places_of
from mlbuild.lang.library import UNIVERSE
from mlbuild.lang.members import callee
from mlbuild.lang.runtime import RUNTIME
from mlbuild.lang.thread import CURRENT, Thread
from mlbuild.lang.values import TYPES, Freezer

VERSION = 6
"""Of the code that the lowering makes: counts up with every change of it, so that cached code is made anew."""


class Load(NamedTuple):
    """One `load` statement: bindings are (local name, exported name)."""

    module: str
    bindings: tuple[tuple[str, str], ...]
    location: Location


class Program(NamedTuple):
    """A compiled file."""

    path: str
    source: bytes
    code: CodeType
    places: bytes
    """Of the code of the top level, see `errors.places_of`: where targets are is asked for each."""
    loads: tuple[Load, ...]
    globals: tuple[tuple[str, str], ...]
    """Of each global that it defines, the name and where the code keeps it."""


def compile_program(source: bytes, path: str, dialect: Dialect, names: frozenset[str]) -> Program:
    """Compiles the file; `names` are those it is given beyond the universe. Raises `StarlarkError` with what is wrong."""
    from mlbuild.lang.lower import lower
    from mlbuild.lang.parse import parse
    from mlbuild.lang.resolve import bindings, resolve
    from mlbuild.lang.syntax_errors import Source
    from mlbuild.lang.tree import Load as LoadStatement

    text = decode(source, path)
    given = names | UNIVERSE.keys()
    try:
        try:
            file = parse(text, path)
            resolution = resolve(file, dialect, given)
        except StarlarkError:
            raise refusal(text, path, dialect, given) from None
        # A name that the host gives hides the universe's: "+name" says so.
        given |= {"+" + name for name in names & UNIVERSE.keys()}
        code = compile(lower(file, resolution, dialect, given), path, "exec", dont_inherit=True, optimize=0)
    except (RecursionError, MemoryError, SyntaxError, OverflowError):
        raise StarlarkError(too_deep(path)) from None
    where = Source(path, file.text)
    loads = []
    loaded: set[str] = set()
    for statement in file.statements:
        if isinstance(statement, LoadStatement):
            pairs = tuple((local, exported) for _, local, exported in statement.bindings)
            loaded.update(local for local, _ in pairs)
            loads.append(Load(statement.module, pairs, where.location(statement.offset)))
    defined = dict.fromkeys(name for name, _ in bindings(file.statements))
    kept = tuple(
        (name, "·" + name if name in given or name.startswith("__") else name)
        for name in defined
        if name not in loaded or dialect.exported_loads
    )
    return Program(path, source, code, places_of(code), tuple(loads), kept)


class ProgramCache:
    """Compiled files by what decides them, in memory and, if a folder is given, on disk.

    Compiled code is code: the folder must be the user's own, with mode 0700, or it is not used. An entry that was damaged
    is made anew; two processes that write the same entry each put a whole file in place.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._usable: bool | None = None if folder is not None else False
        self._programs: dict[str, Program] = {}

    def get(self, source: bytes, path: str, dialect: Dialect, names: frozenset[str]) -> Program:
        """The compiled file, from memory, disk or the compiler. Raises `StarlarkError` with what is wrong in the file."""
        key = _key(source, path, dialect, names)
        program = self._programs.get(key)
        if program is None:
            program = self._read(key, source, path)
            if program is None:
                program = compile_program(source, path, dialect, names)
                self._write(key, program)
            self._programs[key] = program
        return program

    def _file(self, key: str) -> Path | None:
        if self._usable is None:
            self._usable = self._folder is not None and _is_private(self._folder)
        return self._folder / f"{key}.program" if self._folder is not None and self._usable else None

    def _read(self, key: str, source: bytes, path: str) -> Program | None:
        file = self._file(key)
        if file is None:
            return None
        try:
            data = file.read_bytes()
        except OSError:
            return None
        return _load(data, key, source, path)

    def _write(self, key: str, program: Program) -> None:
        file = self._file(key)
        if file is None:
            return
        temporary = file.with_name(f".{key}.{os.getpid()}.{id(program):x}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(_dump(program, key))
            temporary.replace(file)
        except OSError:  # a cache that cannot be written is a cache that is empty
            temporary.unlink(missing_ok=True)


def _is_private(folder: Path) -> bool:
    """Makes the folder if need be. Whether only its owner, who we are, can write there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    import stat

    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _key(source: bytes, path: str, dialect: Dialect, names: frozenset[str]) -> str:
    import xxhash

    about = repr((VERSION, MAGIC_NUMBER, sys.version_info[:3], path, dialect, sorted(names)))
    digest = xxhash.xxh3_128(about.encode("utf-8", "surrogatepass"))
    digest.update(struct.pack("<Q", digest.intdigest() & 0xFFFFFFFFFFFFFFFF))
    digest.update(source)
    return digest.hexdigest()


def _dump(program: Program, key: str) -> bytes:
    import xxhash

    loads = tuple((each.module, each.bindings, each.location.line, each.location.column) for each in program.loads)
    body = marshal.dumps((key, program.code, program.places, loads, program.globals))
    return xxhash.xxh3_128_digest(body) + body


def _load(data: bytes, key: str, source: bytes, path: str) -> Program | None:
    import xxhash

    if len(data) < 16 or xxhash.xxh3_128_digest(data[16:]) != data[:16]:
        return None
    try:
        found, code, places, loads, names = marshal.loads(data[16:])
    except (ValueError, EOFError, TypeError):
        return None
    if found != key:
        return None
    made = tuple(Load(module, pairs, Location(path, line, column)) for module, pairs, line, column in loads)
    return Program(path, source, code, places, made, names)


def execute(
    program: Program, predeclared: Mapping[str, object], loaded: Mapping[str, Mapping[str, object]], thread: Thread
) -> dict[str, object]:
    """Runs the file and gives its frozen globals; those that begin with `_` only if the thread keeps them.

    `loaded` has the globals of each module by the text of its `load`. Raises `StarlarkError`.
    """
    exports = _Exports(program.path)
    builtins = {**RUNTIME, **UNIVERSE, **predeclared}
    builtins["+from"] = lambda module, name: _from(loaded, module, name)
    builtins["+export"] = exports.export
    scope: dict[str, Any] = {
        "__builtins__": builtins,
        "__name__": "starlark",
        MARK: ModuleText(program.path, program.source, program.code, program.places),
    }
    _run(thread, lambda: exec(program.code, scope))
    freezer = Freezer()
    result: dict[str, object] = {}
    try:
        for name, kept in program.globals:
            if kept in scope:
                exports.export(name, scope[kept])
                scope[kept] = freezer.freeze(scope[kept])
                if thread.keep_private or not name.startswith("_"):
                    result[name] = scope[kept]
    except RecursionError:
        message = "a global nests values too deeply"
        raise StarlarkError(Diagnostic("too-deep", message, location=Location(program.path))) from None
    return result


class _Exports:
    """Tells each host value the first global that it was bound to."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._told: dict[int, object] = {}

    def export(self, name: str, value: Any) -> Any:
        kind = type(value)
        if kind not in TYPES and id(value) not in self._told:
            method: Callable[..., None] | None = getattr(kind, "starlark_export", None)
            if method is not None:
                self._told[id(value)] = value
                method(value, self._path, name)
        return value


def _from(loaded: Mapping[str, Mapping[str, object]], module: str, name: str) -> object:
    names = loaded[module]
    if name in names:
        return names[name]
    close = did_you_mean(name, names)
    hint = f"did you mean `{close}`?" if close else None
    raise StarlarkError.of("no-such-symbol", f"file '{module}' does not contain symbol '{name}'", hint)


def call(thread: Thread, function: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] = {}) -> Any:
    """Calls a Starlark value from the host. Raises `StarlarkError`."""
    return _run(thread, lambda: callee(function)(*args, **kwargs))


def _run(thread: Thread, action: Callable[[], Any]) -> Any:
    """The border between host and Starlark: errors get their places here, and what was running is forgotten."""
    running = tuple(thread.active)
    token = CURRENT.set(thread)
    try:
        return action()
    except Exception as error:
        thread.active.clear()
        thread.active.update(dict.fromkeys(running))
        found = located(error)
        if found is None or found is error:
            raise
        raise found from None
    finally:
        CURRENT.reset(token)
