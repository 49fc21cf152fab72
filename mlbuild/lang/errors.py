"""What goes wrong in Starlark: one exception, and how CPython's own exceptions are put into Starlark's words."""

from __future__ import annotations

from mlbuild.diagnostics import Diagnostic, Frame, Location, UserError
from mlbuild.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable
    from types import CodeType, FrameType, TracebackType

    Source = bytes | Callable[[], bytes]
    """The bytes of a file, or what reads them when they are needed."""

MARK = "+program"
"""The global of every compiled module that holds what `source_line` and the frames need."""


_LONGEST = 10_000


class StarlarkError(UserError):
    """An error of a Starlark file. Its first diagnostic gets location and frames when it leaves `execute` or `call`."""

    at_caller = False
    """Whether the innermost frame is that of a function that was refused, so that the error is its caller's."""
    subject: object = None
    """The value that it is about, for those who advise."""

    @classmethod
    def of(cls, code: str, message: str, hint: str | None = None) -> StarlarkError:
        """An error that has no place yet."""
        if len(message) > _LONGEST:
            message = f"{message[:_LONGEST]}… ({len(message)} characters)"
        return cls(Diagnostic(code, message, hint=hint))

    @property
    def message(self) -> str:
        """The message alone, without place."""
        return self.diagnostics[0].message

    def __str__(self) -> str:
        return "\n".join(
            f"{each.location}: {each.message}" if each.location else each.message for each in self.diagnostics
        )


class ModuleText:
    """The file behind a compiled module: its path, and its text for excerpts."""

    __slots__ = ("_places", "_top", "path", "source")

    def __init__(self, path: str, source: Source, code: CodeType | None = None, places: bytes = b"") -> None:
        self.path = path
        self.source = source
        # By identity: to hash a code object is to hash all its constants.
        self._places: dict[int, tuple[CodeType, array[int]]] = {}
        self._top = code, places

    def place(self, code: CodeType, instruction: int) -> Location:
        """Where in the file the instruction (a byte offset) was lowered from."""
        from bisect import bisect_right

        known = self._places.get(id(code))
        if known is None:
            from array import array

            told = self._top[1] if code is self._top[0] else places_of(code)
            known = self._places[id(code)] = code, array("I", told)
        places = known[1]
        count = len(places) // 3
        run = bisect_right(places, instruction, 0, count) - 1
        return Location(self.path, places[count + run], places[2 * count + run])

    def line(self, number: int) -> str | None:
        """The line as the user wrote it."""
        source = self.source if isinstance(self.source, bytes) else self.source()
        lines = source.decode("utf-8", "replace").split("\n")
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else None


def places_of(code: CodeType) -> bytes:
    """The places of the code's instructions: the offsets at which the place changes, then all lines, then all columns."""
    from array import array

    starts, lines, columns = array("I"), array("I"), array("I")
    last: tuple[int | None, int | None] = (-1, -1)
    for index, (line, _, column, _) in enumerate(code.co_positions()):
        if (line, column) != last:
            last = line, column
            starts.append(2 * index)
            lines.append(line or 0)
            columns.append(0 if column is None else column + 1)
    return (starts + lines + columns).tobytes()


def module_text(frame: FrameType) -> ModuleText | None:
    """The Starlark file that the frame runs, or nothing if it is a frame of Python."""
    found = frame.f_globals.get(MARK)
    return found if isinstance(found, ModuleText) else None


def frames_of(traceback: TracebackType | None) -> tuple[tuple[Frame, ModuleText], ...]:
    """The Starlark frames of a traceback, outermost first."""
    found = []
    while traceback is not None:
        text = module_text(traceback.tb_frame)
        if text is not None:
            code = traceback.tb_frame.f_code
            if not _is_comprehension(code):
                found.append((Frame(text.place(code, traceback.tb_lasti), function_name(code)), text))
            elif found:
                outer, text = found[-1]
                found[-1] = (Frame(text.place(code, traceback.tb_lasti), outer.function), text)
        traceback = traceback.tb_next
    return tuple(found)


def function_name(code: CodeType) -> str:
    """The name that the user gave to what the code is of."""
    return {"<module>": "<toplevel>", "<lambda>": "lambda"}.get(code.co_name, code.co_name.lstrip("·"))


def _is_comprehension(code: CodeType) -> bool:
    return code.co_name in ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")


def located(error: BaseException) -> StarlarkError | None:
    """The error as a `StarlarkError` with place and frames from its traceback; nothing if it is a bug of ours."""
    traceback = error.__traceback__
    frames = frames_of(traceback)
    if isinstance(error, UserError):
        found = error
        diagnostics = error.diagnostics
    else:
        made = _made(error)
        if made is None:
            return None
        found = made
        diagnostics = found.diagnostics
    if not diagnostics or not frames:
        return found if isinstance(found, StarlarkError) else None
    first = diagnostics[0]
    if len(frames) > 1 and isinstance(found, StarlarkError) and found.at_caller:
        frames, found.at_caller = frames[:-1], False
    stack = tuple(frame for frame, _ in frames)
    if first.location is None:
        innermost, text = frames[-1]
        first = replace(first, location=innermost.location, source_line=text.line(innermost.location.line))
        if first.hint is None and isinstance(found, StarlarkError):
            first = _advised(first, found.subject, traceback, len(frames))
    stack = stack + first.frames
    first = replace(first, frames=stack if len(stack) > 1 or stack[-1].location != first.location else first.frames)
    result = found if isinstance(found, StarlarkError) else StarlarkError(*diagnostics, exit_code=found.exit_code)
    result.diagnostics = (first, *diagnostics[1:])
    return result


def _advised(told: Diagnostic, subject: object, traceback: TracebackType | None, depth: int) -> Diagnostic:
    """The diagnostic with what may help, from the frame in which it was told."""
    from mlbuild.lang.runtime.advice import advise

    frame = None
    while traceback is not None and depth:
        if module_text(traceback.tb_frame) is not None:
            frame = traceback.tb_frame
            if not _is_comprehension(frame.f_code):
                depth -= 1
        traceback = traceback.tb_next
    if frame is None:
        return told
    hint, notes = advise(told, subject, frame)
    return replace(told, hint=hint, notes=(*told.notes, *notes))


def _made(error: BaseException) -> StarlarkError | None:
    if isinstance(error, KeyError | IndexError):
        from mlbuild.lang.runtime.subscripts import subscript_error

        return subscript_error(error, error.__traceback__)
    message = translated(error)
    return None if message is None else StarlarkError.of(*message)


# Patterns are compiled when they are first used: most runs never do.
_QUOTED = r"'([^']*)'"
_MISSING = r"(\S+)\(\) missing \d+ required (positional|keyword-only) arguments?: (.*)"
_UNEXPECTED = r"(\S+)\(\) got an unexpected keyword argument '(.*)'"
_MULTIPLE = r"(\S+)\(\) got multiple values for (?:keyword )?argument '(.*)'"
_TOO_MANY = r"(\S+)\(\) takes (?:from \d+ to )?(\d+) positional arguments? but (\d+)"
_POSITIONAL_ONLY = r"(\S+)\(\) got some positional-only arguments passed as keyword arguments: '(.*)'"


def translated(error: BaseException) -> tuple[str, str] | None:
    """Code and message of an exception that CPython raised for what is the user's mistake."""
    text = str(error)
    if isinstance(error, UnboundLocalError):
        return "unbound", f"local variable '{_first_quoted(text)}' is referenced before assignment"
    if isinstance(error, NameError):
        scope = "local" if "free variable" in text else "global"
        return "unbound", f"{scope} variable '{_first_quoted(text).lstrip('·')}' is referenced before assignment"
    if isinstance(error, RecursionError):
        return "too-deep", "call stack or value nesting depth limit exceeded"
    if isinstance(error, TypeError):
        return "bad-arguments", argument_message(text)
    if isinstance(error, OverflowError):
        return "out-of-range", text
    if isinstance(error, MemoryError):
        return "out-of-memory", "the value is too large for this machine's memory"
    if isinstance(error, ValueError):
        return "invalid-value", text
    return None


def argument_message(text: str) -> str:
    """What CPython says when arguments do not fit the parameters, in Starlark's words."""
    import re

    if match := re.fullmatch(_MISSING, text):
        names = re.findall(_QUOTED, match[3])
        kind = "named" if match[2] == "keyword-only" else "positional"
        return f"{_plain(match[1])}() missing {len(names)} required {kind} argument{'s'[: len(names) != 1]}: {', '.join(names)}"
    if match := re.fullmatch(_UNEXPECTED, text):
        return f"{_plain(match[1])}() got unexpected keyword argument: {match[2]}"
    if match := re.fullmatch(_MULTIPLE, text):
        return f"{_plain(match[1])}() got multiple values for parameter '{match[2]}'"
    if match := re.match(_TOO_MANY, text):
        receiver = match[1].startswith("method.")
        return too_many_message(_plain(match[1]), int(match[2]) - receiver, int(match[3]) - receiver)
    if match := re.fullmatch(_POSITIONAL_ONLY, text):
        return f"{_plain(match[1])}() got named argument for positional-only parameter '{match[2]}'"
    return text


def too_many_message(name: str, most: int, given: int) -> str:
    """More positional arguments were given than the function takes."""
    if most == 0:
        return f"{name}() does not accept positional arguments, but got {given}"
    return f"{name}() accepts no more than {most} positional argument{'s'[: most != 1]} but got {given}"


def _plain(qualified: str) -> str:
    name = qualified.rpartition(".")[2].lstrip("·")
    return "lambda" if name == "<lambda>" else name


def _first_quoted(text: str) -> str:
    import re

    match = re.search(_QUOTED, text)
    return match[1] if match else text
