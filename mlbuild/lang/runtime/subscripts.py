"""What `holder[key]`, left to Python where both are known, has to say when there is no such key: found again from the names at the
place."""

from __future__ import annotations

import re
from types import FrameType, TracebackType
from typing import Any

from mlbuild.lang.errors import ModuleText, StarlarkError, module_text

_HOLDER = r"([^\W\d]\w*)$"
_KEY = r"\[(?:([^\W\d]\w*)|(0[xX][0-9a-fA-F]+|0[oO][0-7]+|[0-9]+))\b"


def subscript_error(error: LookupError, traceback: TracebackType | None) -> StarlarkError | None:
    """The error in Starlark's words; nothing if it was not Starlark's own code that raised it."""
    last = traceback
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    text = module_text(last.tb_frame) if last is not None else None
    if last is None or text is None:
        return None
    from mlbuild.lang.runtime.containers import index
    from mlbuild.lang.runtime.text import repr_value

    names = _names(last.tb_frame, text, last.tb_lasti, error)
    if names is not None:
        try:
            index(*names)
        except StarlarkError as found:
            return found
    if isinstance(error, KeyError):
        return StarlarkError.of("no-such-key", f"key {repr_value(error.args[0])} not found in dictionary")
    return StarlarkError.of("out-of-range", "index out of range")


def _names(frame: FrameType, text: ModuleText, instruction: int, error: LookupError) -> tuple[Any, Any] | None:
    """The holder and the key."""
    place = text.place(frame.f_code, instruction)
    line = text.line(place.line) or ""
    at = place.column - 1
    holder = re.search(_HOLDER, line[:at])
    known = {**{name.lstrip("·"): value for name, value in frame.f_globals.items()}, **frame.f_locals}
    if holder is None or holder[1] not in known:
        return None
    if isinstance(error, KeyError):
        return known[holder[1]], error.args[0]
    key = re.match(_KEY, line[at:])
    if key is None or (key[1] and key[1] not in known):
        return None
    return known[holder[1]], known[key[1]] if key[1] else int(key[2], 0)
