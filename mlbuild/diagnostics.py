"""What goes wrong, in words: where, what, what to try. Knows nothing of builds."""

from __future__ import annotations

from mlbuild.records import ordered_record, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
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


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as lines of plain text, as the golden tests have it.

    Frames come first (as in a Starlark or Python traceback), then `place: error[code]: message`,
    the source line with a caret, notes and the hint, indented by two.
    """
    lines: list[str] = []
    if diagnostic.frames:
        lines.append("Traceback (most recent call last):")
        lines += [f"  {frame.location}: in {frame.function}" for frame in diagnostic.frames]
    place = f"{diagnostic.location}: " if diagnostic.location else ""
    lines.append(escape(f"{place}error[{diagnostic.code}]: {diagnostic.message}"))
    if diagnostic.source_line is not None:
        lines.append(escape(f"    {diagnostic.source_line}"))
        if diagnostic.location and diagnostic.location.column:
            lines.append("    " + _caret_indent(diagnostic.source_line, diagnostic.location.column) + "^")
    lines += [escape(f"  {line}") for note in diagnostic.notes for line in note.split("\n")]
    if diagnostic.hint:
        first, *rest = diagnostic.hint.split("\n")
        lines += [escape(f"  hint: {first}"), *(escape(f"        {line}") for line in rest)]
    return "\n".join(lines)


def escape(text: str) -> str:
    """Text safe for a terminal: control characters other than tab and newline become visible escapes."""
    return "".join(
        char
        if char in "\t\n" or (char >= " " and not "\x7f" <= char <= "\x9f" and not _reorders(char))
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest to `word`, or nothing when none is close."""
    import difflib

    close = difflib.get_close_matches(word, sorted(set(candidates)), n=1, cutoff=0.6)
    return close[0] if close else None


def _caret_indent(line: str, column: int) -> str:
    return "".join("\t" if char == "\t" else " " for char in line[: column - 1])


def _reorders(char: str) -> bool:
    """Bidirectional controls can make a terminal show other text than what is there."""
    return "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" or "\ud800" <= char <= "\udfff"
