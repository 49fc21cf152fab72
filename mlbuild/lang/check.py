"""All that is wrong with a file, told without running it: for those who show it while the file is being written."""

from __future__ import annotations

from mlbuild.diagnostics import Diagnostic, Location
from mlbuild.lang.dialect import Dialect
from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.runtime.library import UNIVERSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlbuild.lang.syntax import tree

SHOWN = 20


def check(
    source: bytes, path: str, dialect: Dialect, names: frozenset[str]
) -> tuple[tree.File | None, list[Diagnostic]]:
    """The tree of all statements that can be read, and what is wrong, in the order of the file. Raises nothing.

    `names` are those that the file is given beyond the universe. There is no tree if the file is not text, or nests too deeply.
    """
    try:
        return _check(decode(source, path), path, dialect, names | UNIVERSE.keys())
    except StarlarkError as error:
        return None, list(error.diagnostics)
    except (RecursionError, MemoryError):
        return None, [too_deep(path)]


def refusal(text: str, path: str, dialect: Dialect, names: frozenset[str]) -> StarlarkError:
    """The error of a file that has mistakes, with the first of them; `names` has the universe too."""
    _, found = _check(text, path, dialect, names)
    shown = found[:SHOWN]
    if more := len(found) - len(shown):
        note = f"and {more} more {'error' if more == 1 else 'errors'} in `{path}`"
        last = shown[-1]
        shown[-1] = Diagnostic(
            last.code, last.message, last.location, last.source_line, last.hint, (*last.notes, note), last.frames
        )
    return StarlarkError(*shown)


def decode(source: bytes, path: str) -> str:
    """The text of the file. Raises `StarlarkError`."""
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        message = f"the file is not UTF-8: byte 0x{source[error.start]:02x}"
        raise StarlarkError(
            Diagnostic("not-utf-8", message, location=Location(path, line), hint="save it as UTF-8")
        ) from None


def too_deep(path: str) -> Diagnostic:
    """The file is beyond what Python can take."""
    message = "the file nests expressions or blocks too deeply"
    return Diagnostic("too-deep", message, location=Location(path, 1), hint="split it into several statements")


def _check(text: str, path: str, dialect: Dialect, names: frozenset[str]) -> tuple[tree.File, list[Diagnostic]]:
    from mlbuild.lang.compiler.resolve import mistakes
    from mlbuild.lang.syntax.parse import parse

    try:
        file = parse(text, path)
    except StarlarkError:
        from mlbuild.lang.syntax.recover import recover

        partial = recover(text, path)
        wrong = {(each.location, each.message): each for each in partial.mistakes}
        lines = _lines(text, partial.broken)
        for each in mistakes(partial.file, dialect, names | partial.names):
            if each.location is None or each.location.line not in lines:
                wrong.setdefault((each.location, each.message), each)
        return partial.file, sorted(wrong.values(), key=lambda each: each.location or Location(path))
    return file, mistakes(file, dialect, names)


def _lines(text: str, spans: tuple[tuple[int, int], ...]) -> set[int]:
    """The numbers of the lines that the spans touch."""
    found: set[int] = set()
    at = line = 0
    for start, end in sorted(spans):
        line += text.count("\n", at, start)
        at = start
        found.update(range(line + 1, line + 2 + text.count("\n", start, end)))
    return found
