"""Runs cases of `noise.py`: `python -m tests.lang.fuzzing FIRST LAST [SECONDS]` for many, with one number for one.

A case ends in a value or in a `StarlarkError` with words of ours: anything else, more than a second or more than 256 MiB is told,
with what is left of the input when all that does not matter is taken away.
"""

from __future__ import annotations

import mmap
import os
import re
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlbuild.lang import JSON, UNIVERSE, Builtin, Limits, StarlarkError, Thread, call, compile_program, execute
from mlbuild.lang.runtime.loops import ITERATING
from mlbuild.lang.runtime.members import attribute
from mlbuild.lang.runtime.values import TYPES
from tests.lang.noise import OPERATORS, Calls, File, case

SLOWEST = 1.0
MEMORY = 256 << 20
LIMITS = Limits(steps=20_000)
LEAK = re.compile(
    r"object at 0x|<class |<module '|Traceback|mlbuild\.lang\.|\bNoneType: None|<frozen |lambda at|function .* at 0x|takes \d+ positional"
)
"""What only Python's own messages and representations have."""


class TooSlowError(BaseException):
    """A case took more than its time."""


def run_case(made: File | Calls, limits: Limits = LIMITS) -> None:
    """Raises what the case must not raise."""
    if isinstance(made, File):
        _run_file(made, limits)
    else:
        for name, args, named in made.calls:
            _run_call(name, args, named, limits)
    if ITERATING:
        ITERATING.clear()
        raise AssertionError("a loop is still running after the end")


def _run_file(made: File, limits: Limits) -> None:
    thread = Thread(limits=limits)
    try:
        program = compile_program(made.source, "fuzz.bzl", made.dialect, frozenset())
        _check_values(execute(program, {}, {each.module: {} for each in program.loads}, thread).values())
    except StarlarkError as error:
        _check_error(error)
    if thread.active:
        raise AssertionError("a call is still running after the end")


def _run_call(name: str, args: tuple[Any, ...], named: dict[str, Any], limits: Limits) -> None:
    def act() -> Any:
        if name.startswith("+"):
            return OPERATORS[name](*args)
        if name.startswith("."):
            return attribute(args[0], name[1:])(*args[1:], **named)
        if name.startswith("json."):
            return JSON.starlark_attr(name[5:])(*args, **named)
        return UNIVERSE[name](*args, **named)

    try:
        _check_values((call(Thread(limits=limits), Builtin(name, act)),))
    except StarlarkError as error:
        _check_error(error)


def _check_error(error: StarlarkError) -> None:
    for each in error.diagnostics:
        if each.code == "out-of-memory":
            raise AssertionError(f"takes more than {MEMORY >> 20} MiB")
        if not each.message or LEAK.search(each.message) or LEAK.search(each.hint or ""):
            raise AssertionError(f"not our words: {each.message}")


def _check_values(values: Any) -> None:
    """Only values of the language may come out, however deep inside."""
    for value in values:
        kind = type(value)
        if kind not in TYPES and not hasattr(kind, "starlark_type") and not callable(value):
            raise AssertionError(f"a value of Python's own came out: {kind}")


def trouble(made: File | Calls) -> str | None:
    """What is wrong with how the case ends, if anything is."""
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, abs(3 * SLOWEST))
    try:
        run_case(made)
    except TooSlowError:
        return f"takes more than {3 * SLOWEST} s"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:500]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    spent = time.process_time() - began
    return f"takes more than {SLOWEST} s" if spent > SLOWEST else None


def report(number: int, found: str) -> str:
    """What is wrong, the smallest input that shows it, and how to run it alone."""
    made = case(number)
    kind = found.split(":")[0]
    if isinstance(made, File):
        dialect = made.dialect
        small = shrink(made.source, lambda data: (trouble(File(data, dialect)) or "").startswith(kind))
        shown = f"{dialect.name if hasattr(dialect, 'name') else dialect}: {small!r}"
    else:
        shown = next(
            (f"{each[0]}{each[1]!r}, {each[2]!r}"[:2000] for each in made.calls if trouble(Calls((each,)))),
            "all calls together",
        )
    return f"case {number}: {found}\n  {shown}\n  python -m tests.lang.fuzzing {number}"


def shrink(data: bytes, fails: Callable[[bytes], bool], seconds: float = 20) -> bytes:
    """The data without what is not needed for it to fail."""
    ends = time.monotonic() + seconds
    size = max(len(data) // 2, 1)
    while size and time.monotonic() < ends:
        at, smaller = 0, False
        while at < len(data) and time.monotonic() < ends:
            candidate = data[:at] + data[at + size :]
            if fails(candidate):
                data, smaller = candidate, True
            else:
                at += size
        if not smaller or size > 1:
            size //= 2
    return data


def fuzz(first: int, last: int, seconds: float, began: Callable[[int], None] = lambda _: None) -> tuple[int, list[str]]:
    """How many cases were run before the time was over, and what is wrong with some of them."""
    warnings.simplefilter("error")
    ends = time.monotonic() + seconds
    signal.signal(signal.SIGPROF, _too_slow)
    found = []
    for number in range(first, last):
        began(number)
        problem = trouble(case(number))
        if problem is not None:
            found.append(report(number, problem))
            if len(found) == 10:
                return number + 1 - first, found
        if time.monotonic() > ends:
            return number + 1 - first, found
    return last - first, found


def _too_slow(*_: object) -> None:
    raise TooSlowError


def main() -> int:
    first, last, seconds = (*map(float, sys.argv[1:]), *(0.0, 86400.0)[len(sys.argv) - 2 :])
    case(int(first))  # what is read once must not count
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    if len(sys.argv) == 2:
        signal.signal(signal.SIGPROF, _too_slow)
        problem = trouble(case(int(first)))
        print(case(int(first)) if problem is None else report(int(first), problem))
        return problem is not None
    note = os.environ.get("MLBUILD_FUZZ_NOTE")
    began: Callable[[int], None] = lambda _: None  # noqa: E731
    if note:  # the number of the case now running, for who finds this process dead
        with Path(note).open("r+b") as file:
            shared = mmap.mmap(file.fileno(), 8)
        began = lambda number: shared.__setitem__(slice(0, 8), number.to_bytes(8, "little"))  # noqa: E731
    count, found = fuzz(int(first), int(last), seconds, began)
    print(count, *found, sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
