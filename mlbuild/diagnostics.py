"""What goes wrong, in words: where, what, what to try. Knows nothing of builds."""

from __future__ import annotations

from mlbuild.records import ordered_record, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import ClassVar


class ExitCode(int):
    """Bazel's exit codes. No `Enum`: it would be the dearest import of a command that has nothing to do."""

    SUCCESS: ClassVar[ExitCode]
    BUILD_FAILED: ClassVar[ExitCode]
    COMMAND_LINE: ClassVar[ExitCode]
    TESTS_FAILED: ClassVar[ExitCode]
    QUERY_PARTIAL: ClassVar[ExitCode]
    NO_TESTS: ClassVar[ExitCode]
    NOT_FORMATTED: ClassVar[ExitCode]
    QUERY_FAILED: ClassVar[ExitCode]
    INTERRUPTED: ClassVar[ExitCode]
    LOCK_HELD: ClassVar[ExitCode]
    ENVIRONMENT: ClassVar[ExitCode]
    INTERNAL: ClassVar[ExitCode]


ExitCode.SUCCESS = ExitCode(0)
ExitCode.BUILD_FAILED = ExitCode(1)
ExitCode.COMMAND_LINE = ExitCode(2)
ExitCode.TESTS_FAILED = ExitCode(3)
ExitCode.QUERY_PARTIAL = ExitCode(3)
ExitCode.NO_TESTS = ExitCode(4)
ExitCode.NOT_FORMATTED = ExitCode(4)  # as buildifier has it
ExitCode.QUERY_FAILED = ExitCode(7)
ExitCode.INTERRUPTED = ExitCode(8)
ExitCode.LOCK_HELD = ExitCode(9)
ExitCode.ENVIRONMENT = ExitCode(36)
ExitCode.INTERNAL = ExitCode(37)


@ordered_record
class Location:
    """A place in a file: path from the workspace root, line and column from 1 (0: not known)."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.path, *(str(part) for part in (self.line, self.column) if part)]
        return ":".join(parts)


@record
class Frame:
    """One call in a user's own files, outermost first."""

    location: Location
    function: str


@record
class Diagnostic:
    """One thing that is wrong. `code` is stable; `message` is small first letter, no full stop."""

    code: str
    message: str
    location: Location | None = None
    source_line: str | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()


class UserError(Exception):
    """A person can fix this: rendered without a traceback, ends the command with `exit_code`."""

    def __init__(self, *diagnostics: Diagnostic, exit_code: ExitCode = ExitCode.BUILD_FAILED) -> None:
        super().__init__("\n".join(diagnostic.message for diagnostic in diagnostics))
        self.diagnostics = diagnostics
        self.exit_code = exit_code


def fail(
    code: str,
    message: str,
    *,
    location: Location | None = None,
    hint: str | None = None,
    notes: Iterable[str] = (),
    exit_code: ExitCode = ExitCode.BUILD_FAILED,
) -> UserError:
    """A `UserError` of one diagnostic, for `raise fail(...)`."""
    return UserError(Diagnostic(code, message, location=location, hint=hint, notes=tuple(notes)), exit_code=exit_code)


COLUMNS = 160
"""Longer source lines are cut, unless the terminal is known."""


def render(diagnostic: Diagnostic, columns: int = COLUMNS) -> str:
    """The diagnostic as lines of plain text, as the golden tests have it.

    `place: error[code]: message` comes first, then the source line with a caret, the calls from the innermost outwards, notes and
    the hint, indented by two.
    """
    place = f"{diagnostic.location}: " if diagnostic.location else ""
    lines = [escape(f"{place}error[{diagnostic.code}]: {diagnostic.message}")]
    if diagnostic.source_line is not None:
        column = diagnostic.location.column if diagnostic.location else 0
        lines += [f"    {line}" for line in _excerpt(diagnostic.source_line, column, max(20, columns - 6))]
    lines += [escape(f"  {line}") for line in _calls(diagnostic)]
    lines += [escape(f"  {line}") for note in diagnostic.notes for line in note.split("\n")]
    if diagnostic.hint:
        first, *rest = diagnostic.hint.split("\n")
        lines += [escape(f"  hint: {first}"), *(escape(f"        {line}") for line in rest)]
    return "\n".join(lines)


_MOST_CALLS = 12


def _calls(diagnostic: Diagnostic) -> Iterator[str]:
    """Who called, from the place of the error outwards; of very many, the first and the last."""
    frames = diagnostic.frames
    if not frames:
        return
    if frames[-1].location != diagnostic.location:
        yield f"called at {frames[-1].location}"
    shown = [
        f"in `{inner.function}`, called at {outer.location}"
        for outer, inner in zip(frames[-2::-1], frames[:0:-1], strict=True)
    ]
    if frames[0].function != "<toplevel>":
        shown.append(f"in `{frames[0].function}`")
    if len(shown) > _MOST_CALLS:
        half = _MOST_CALLS // 2
        shown[half:-half] = [f"… {len(shown) - _MOST_CALLS} more calls …"]
    yield from shown


def _excerpt(line: str, column: int, most: int) -> list[str]:
    """The line, cut to what is around the column if it is too long, and below it the caret."""
    if len(line) > most:
        start = max(0, min(column - most // 2, len(line) - most))
        before, after = ("…" if start else ""), ("…" if start + most < len(line) else "")
        line = before + line[start : start + most] + after
        column = column - start + len(before) if column else 0
    return [escape(line), *([_caret_indent(line, column) + "^"] if column else [])]


def escape(text: str) -> str:
    """Text safe for a terminal: control characters other than tab and newline become visible escapes."""
    return "".join(
        char
        if char in "\t\n" or (char >= " " and not "\x7f" <= char <= "\x9f" and not _reorders(char))
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


_LONGEST_NAME = 100
_MOST_NAMES = 500
"""Beyond these a search for what is close would take long, and help nobody."""


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest to `word`, or nothing when none is close."""
    import difflib

    if len(word) > _LONGEST_NAME:
        return None
    names = sorted({each for each in candidates if len(each) <= _LONGEST_NAME})
    if len(names) > _MOST_NAMES:
        names = sorted(names, key=lambda name: abs(len(name) - len(word)))[:_MOST_NAMES]
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return close[0] if close else None


def _caret_indent(line: str, column: int) -> str:
    """As wide as a terminal shows what is before the column."""
    before = line[: column - 1]
    if before.isascii() and before.isprintable():
        return " " * len(before)
    from unicodedata import combining, east_asian_width

    return "".join(
        "\t"
        if char == "\t"
        else ""
        if combining(char)
        else " " * (len(escape(char)) + (east_asian_width(char) in "WF"))
        for char in before
    )


def _reorders(char: str) -> bool:
    """Bidirectional controls can make a terminal show other text than what is there."""
    return "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" or "\ud800" <= char <= "\udfff"
