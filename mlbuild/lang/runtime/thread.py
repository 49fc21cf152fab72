"""A thread of evaluation: what it may spend, what is running in it, and the host's own state."""

from __future__ import annotations

import sys
from contextvars import ContextVar

from mlbuild.diagnostics import Diagnostic, Frame, Location
from mlbuild.lang.errors import MARK, StarlarkError, function_name
from mlbuild.records import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from mlbuild.lang.errors import ModuleText


@record
class Limits:
    """What one thread may spend: deterministic, unlike a timer."""

    steps: int = 10_000_000
    """Turns of loops by what is in them, calls, and elements that a builtin looks at."""
    memory: int = 96 << 20
    """Bytes of all strings, lists, dicts and sets that are made, whether they are still held or not; the smallest are free."""
    depth: int = 200
    """Calls of the user's functions inside each other."""
    output: int = 1 << 20
    """Characters that are printed."""
    text: int = 1 << 24
    """The longest string, in characters, and the longest bytes."""
    bits: int = 1 << 17
    """The largest integer, in bits."""


class Allowance:
    """What all threads of one load may spend together; each takes from it what it spends itself."""

    __slots__ = ("memory", "total")

    def __init__(self, memory: int = 1 << 30) -> None:
        self.total = memory
        self.memory = memory


class Thread:
    """One evaluation: hand it to `execute` and `call`. `context` is the host's own state, which builtins find here."""

    __slots__ = ("active", "allowance", "context", "keep_private", "limits", "memory", "output", "print", "steps")

    def __init__(
        self,
        context: object = None,
        print: Callable[[str], None] | None = None,
        limits: Limits = Limits(),
        keep_private: bool = False,
        allowance: Allowance | None = None,
    ) -> None:
        self.context = context
        self.print = print
        self.limits = limits
        self.keep_private = keep_private
        self.allowance = allowance
        self.steps = limits.steps
        self.memory = limits.memory
        self.output = limits.output
        self.active: dict[str, None] = {}

    def location(self) -> Location:
        """Where the innermost Starlark code now running is: for a builtin, where it was called."""
        frame = sys._getframe(1)
        while frame is not None:
            text: ModuleText | None = frame.f_globals.get(MARK)
            if text is not None:
                return text.place(frame.f_code, frame.f_lasti)
            frame = frame.f_back  # type: ignore[assignment]
        return Location("<builtin>")

    def frames(self) -> tuple[Frame, ...]:
        """The calls now running in the user's own files, outermost first."""
        found: list[Frame] = []
        frame = sys._getframe(1)
        inner: Location | None = None
        while frame is not None:
            text = frame.f_globals.get(MARK)  # asked of each frame for each target: as short as it can be
            if text is not None:
                here = inner or text.place(frame.f_code, frame.f_lasti)
                if frame.f_code.co_name in ("<listcomp>", "<dictcomp>"):
                    inner = here
                else:
                    found.append(Frame(here, function_name(frame.f_code)))
                    inner = None
            frame = frame.f_back  # type: ignore[assignment]
        return tuple(reversed(found))

    def error(self, code: str, message: str, hint: str | None = None) -> StarlarkError:
        """An error at the call that is now running, for `raise`. It gets its place on the way out."""
        return StarlarkError.of(code, message, hint)

    def charge(self, steps: int) -> None:
        """Spends steps. Raises when none are left."""
        self.steps -= steps
        if self.steps < 0:
            raise StarlarkError.of(
                "too-many-steps",
                f"the evaluation takes more than {self.limits.steps} steps",
                "look for a loop that grows with the square of its input",
            )

    def grow(self, size: int) -> None:
        """Spends bytes, before they are made. Raises when none are left."""
        self.memory -= size
        if self.memory < 0:
            raise StarlarkError.of(
                "too-much-memory",
                f"the evaluation makes more than {self.limits.memory} bytes of values",
                "look for a string or a list that is made anew in each turn of a loop: append to a list, and join it at the end",
            )
        if self.allowance is not None:
            self.allowance.memory -= size
            if self.allowance.memory < 0:
                raise StarlarkError.of(
                    "too-much-memory",
                    f"the files loaded together make more than {self.allowance.total} bytes of values",
                    "load fewer packages at once, or move what is large into files that actions read",
                )

    def say(self, text: str) -> None:
        """Prints, as far as the host listens."""
        self.output -= len(text) + 1
        if self.output < 0:
            raise StarlarkError.of(
                "too-much-output",
                f"the evaluation prints more than {self.limits.output} characters",
                "print less: the lengths of long values, or the first of many",
            )
        if self.print is not None:
            self.print(text)


CURRENT: ContextVar[Thread] = ContextVar("starlark_thread")


def current() -> Thread:
    """The thread that is evaluating now."""
    try:
        return CURRENT.get()
    except LookupError:
        raise RuntimeError("a Starlark function runs outside of `execute` and `call`") from None


def charge(count: int) -> None:
    """Spends steps of the thread that is evaluating now. What the host itself does with values is free."""
    thread = CURRENT.get(None)
    if thread is not None:
        thread.charge(count)


def grow(size: int) -> None:
    """Spends bytes of the thread that is evaluating now, before they are made."""
    thread = CURRENT.get(None)
    if thread is not None:
        thread.grow(size)


def limits() -> Limits:
    """Those of the thread that is evaluating now."""
    thread = CURRENT.get(None)
    return Limits() if thread is None else thread.limits


CALL = 6
"""The steps of a call."""


def enter(key: str, steps: int = CALL) -> dict[str, None]:
    """A user's function begins: refuses recursion. `key` is the function's name and its place, apart by a NUL."""
    thread = CURRENT.get()
    active = thread.active
    if key in active or len(active) >= thread.limits.depth:
        error = StarlarkError.of(
            "too-deep",
            f"more than {thread.limits.depth} calls inside each other",
            "write a loop, or fewer layers of macros",
        )
        if key in active:
            error = _recursion(active, key)
        error.at_caller = True
        raise error
    thread.steps -= steps
    if thread.steps < 0:
        thread.charge(0)
    active[key] = None
    return active


def _recursion(active: dict[str, None], key: str) -> StarlarkError:
    """A function that is running is called again. The note has the way round."""
    running = list(active)
    names = [each.partition("\0")[0] for each in (*running[running.index(key) :], key)]
    around = (" -> ".join(f"`{name}`" for name in names),) if len(names) > 2 else ()
    return StarlarkError(Diagnostic("recursion", f"function '{names[0]}' called recursively", notes=around))


def leave(active: dict[str, None], key: str, value: object) -> object:
    """A lambda ends."""
    del active[key]
    return value


def enter_again(key: str, steps: int = CALL) -> str:
    """A user's function begins that may be running already. Gives the entry that `leave_again` takes back."""
    thread = CURRENT.get()
    depth = len(thread.active)
    if depth >= thread.limits.depth:
        error = StarlarkError.of("too-deep", f"more than {thread.limits.depth} calls inside each other")
        error.at_caller = True
        raise error
    try:
        thread.charge(steps)
    except StarlarkError as error:
        error.at_caller = True
        raise
    entry = f"{key}\0{depth}"
    thread.active[entry] = None
    return entry


def leave_again(entry: str, value: object = None) -> object:
    """A user's function ends that may run again."""
    del CURRENT.get().active[entry]
    return value


def turn(steps: int) -> bool:
    """One more turn of a `while`."""
    CURRENT.get().charge(steps)
    return True
