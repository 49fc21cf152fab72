"""Compiled files: made from source, kept by content, run with what they are given."""

from __future__ import annotations

from mlbuild.diagnostics import Diagnostic, Location, did_you_mean
from mlbuild.lang.check import decode, refusal, too_deep
from mlbuild.lang.dialect import Dialect
from mlbuild.lang.errors import MARK, ModuleText, StarlarkError, located, places_of
from mlbuild.lang.runtime.library import UNIVERSE
from mlbuild.lang.runtime.members import callee
from mlbuild.lang.runtime.names import RUNTIME
from mlbuild.lang.runtime.thread import CURRENT, Thread
from mlbuild.lang.runtime.values import TYPES, Freezer
from mlbuild.records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType
    from typing import Any

    from mlbuild.lang.errors import Source


@record
class Load:
    """One `load` statement: bindings are (local name, exported name)."""

    module: str
    bindings: tuple[tuple[str, str], ...]
    location: Location


@record
class Program:
    """A compiled file."""

    path: str
    source: Source
    code: CodeType
    places: bytes
    """Of the code of the top level, see `errors.places_of`: where targets are is asked for each."""
    loads: tuple[Load, ...]
    globals: tuple[tuple[str, str], ...]
    """Of each global that it defines, the name and where the code keeps it."""


def compile_program(source: bytes, path: str, dialect: Dialect, names: frozenset[str]) -> Program:
    """Compiles the file; `names` are those it is given beyond the universe. Raises `StarlarkError` with what is wrong."""
    from mlbuild.lang.compiler.lower import lower
    from mlbuild.lang.compiler.resolve import bindings, resolve
    from mlbuild.lang.syntax.parse import parse
    from mlbuild.lang.syntax.source import Source
    from mlbuild.lang.syntax.tree import Load as LoadStatement

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
    public = sorted(each for each in names if not each.startswith("_"))
    hint = f"it exports {', '.join(f'`{each}`' for each in public[:20])}" if public else None
    if close:
        hint = f"did you mean `{close}`?"
    raise StarlarkError.of("no-such-symbol", f"file '{module}' does not contain symbol '{name}'", hint)


def call(thread: Thread, function: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] = {}) -> Any:
    """Calls a Starlark value from the host. Raises `StarlarkError`."""
    return _run(thread, lambda: callee(function)(*args, **kwargs))


def _run(thread: Thread, action: Callable[[], Any]) -> Any:
    """The border between host and Starlark: errors get their places here, and what was running is forgotten."""
    running = tuple(thread.active)
    token = CURRENT.set(thread)
    found: BaseException | None = None
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
        found = None  # an error and this frame would keep each other, and with them the loops that it left
        CURRENT.reset(token)
