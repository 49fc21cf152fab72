"""What to try, for errors of running code: read only when one is told, from its words and from what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import FrameType, FunctionType
from typing import Any

from mlbuild.diagnostics import Diagnostic, did_you_mean
from mlbuild.lang.errors import MARK, ModuleText, function_name, module_text

_SHOWN = 8

_STARTS: tuple[tuple[str, str, str], ...] = (
    ("bad-format", "not enough arguments", "give a tuple with one value for each `%`: `% (a, b)`"),
    ("bad-format", "not all arguments", "each `%s` takes one value of the tuple; to show a whole tuple write `% (x,)`"),
    ("bad-format", "got ", "`%d` takes numbers; `%s` takes everything"),
    ("bad-format", "unsupported format", "there are `%s`, `%r`, `%d`, `%o`, `%x`, `%e`, `%f`, `%g`; write `%%` for a percent sign"),
    ("bad-format", "format: No replacement", "give one value for each `{}`"),
    ("bad-format", "format: Missing argument", "give it by name: `.format(name = value)`"),
    ("bad-format", "format: Found", "write `{{` and `}}` for braces"),
    ("bad-format", "format: Invalid character", "widths and precisions do not exist here: write `{}`, `{0}` or `{name}`"),
    ("bad-format", "format: Cannot mix", "number all fields or none"),
    ("unhashable", "unhashable type: 'list'", "only values that cannot change can be keys: use a tuple"),
    ("unhashable", "unhashable type: 'dict'", "only values that cannot change can be keys: use `tuple(d.items())`"),
    ("division-by-zero", "", "test the divisor before"),
    ("wrong-type", "got string for sequence index", "a list is indexed by numbers; a dict is looked up by keys"),
    ("wrong-type", "expected string for sequence element", "convert the items: `[str(x) for x in xs]`"),
    ("wrong-length", "too few values", "give as many names as there are values"),
    ("wrong-length", "too many values", "give as many names as there are values, or take slices"),
    ("bad-operands", "can only assign an element in a dictionary or a list, not in a 'string'", "strings do not change: make a new one"),
    ("bad-operands", "can only assign an element in a dictionary or a list, not in a 'tuple'", "tuples do not change: use a list"),
    ("bad-operands", "type 'NoneType' has no operator", "it is None: a function without `return` gives None"),
    ("bad-operands", "'in <string>' requires", "convert with `str(...)`"),
    ("frozen", "struct value does not support", "structs do not change: make a new one"),
    ("recursion", "", "go through the values in a loop, with a list of what is still to do"),
    ("invalid-value", "expected at least one item", "test before whether there is an item"),
    ("invalid-value", "invalid base-", "test before with `.isdigit()`"),
    ("out-of-range", "negative shift count", "shift the other way"),
)  # fmt: skip
_OPERANDS = {
    "list + tuple": "convert with `list(...)`",
    "tuple + list": "convert with `tuple(...)`",
    "dict + dict": "join dicts with `|`",
    "list + string": "put the string into a list: `+ [...]`",
    "string * string": "repeat with an int",
    "list * list": "repeat with an int",
}
_FIELDS = {
    ("string", "contains"): "write `part in text`",
    ("string", "has"): "write `part in text`",
    ("string", "length"): "write `len(text)`",
    ("string", "len"): "write `len(text)`",
    ("string", "size"): "write `len(text)`",
    ("string", "substring"): "write `text[start:end]`",
    ("string", "trim"): "write `text.strip()`",
    ("string", "toUpper"): "write `text.upper()`",
    ("string", "toLower"): "write `text.lower()`",
    ("string", "encode"): "strings are text everywhere: nothing is to be encoded",
    ("list", "add"): "write `items.append(x)`",
    ("list", "push"): "write `items.append(x)`",
    ("list", "length"): "write `len(items)`",
    ("list", "len"): "write `len(items)`",
    ("list", "size"): "write `len(items)`",
    ("list", "sort"): "write `items = sorted(items)`",
    ("list", "reverse"): "write `items = reversed(items)`",
    ("list", "copy"): "write `list(items)`",
    ("list", "contains"): "write `x in items`",
    ("list", "map"): "write `[f(x) for x in items]`",
    ("list", "filter"): "write `[x for x in items if f(x)]`",
    ("list", "join"): 'write `",".join(items)`',
    ("dict", "has_key"): "write `key in d`",
    ("dict", "contains"): "write `key in d`",
    ("dict", "iteritems"): "write `d.items()`",
    ("dict", "itervalues"): "write `d.values()`",
    ("dict", "copy"): "write `dict(d)`",
    ("dict", "len"): "write `len(d)`",
    ("dict", "length"): "write `len(d)`",
    ("dict", "size"): "write `len(d)`",
}


def advise(told: Diagnostic, subject: object, frame: FrameType) -> tuple[str | None, tuple[str, ...]]:
    """A hint and notes for the error, which was told in the frame; `subject` is the value that it is about, if known."""
    code, message = told.code, told.message
    if code == "frozen" and subject is not None:
        return _frozen(subject, frame)
    if code == "unbound":
        return _unbound(message, frame), ()
    if code == "bad-arguments":
        return _arguments(message, frame)
    if code in ("not-iterable", "wrong-type") and "is not iterable" in message:
        return _not_iterable(message), ()
    if code == "bad-operands" and message.startswith(("unsupported binary", "unsupported comparison")):
        return _operands(message.partition(": ")[2]), ()
    for wanted, start, hint in _STARTS:
        if code == wanted and message.startswith(start):
            return hint, ()
    return None, ()


def hint_for_field(value: Any, kind: str, name: str, names: Iterable[str]) -> str | None:
    """What to try where the value has no such field or method."""
    if kind == "dict":
        near = name if name in value else did_you_mean(name, (key for key in value if type(key) is str))
        if near is not None:
            return f'the values of a dict are had by their keys: `d["{near}"]`'
    if (kind, name) in _FIELDS:
        return _FIELDS[kind, name]
    if kind == "NoneType":
        return "it is None: a function without `return` gives None"
    own = getattr(type(value), "starlark_hint", None)
    if isinstance(own, str):
        return own
    known = list(names)
    close = did_you_mean(name, known)
    if close is not None:
        return f"did you mean `{close}`?"
    if (
        kind in ("string", "bytes", "list", "dict", "set", "int", "float", "bool", "tuple", "range", "function")
        or not known
    ):
        return None
    return f"it has {_listed(known)}"


def hint_for_call(kind: str) -> str | None:
    """What to try where a value of the kind was called."""
    if kind in ("list", "dict", "tuple", "range"):
        return f"an element of a {kind} is had with brackets: `x[...]`"
    if kind == "NoneType":
        return "it is None: a function without `return` gives None"
    if kind in ("string", "int", "float", "bool"):
        return "the name has been given to a value, or an operator or a comma is missing before the `(`"
    return None


def hint_for_key(entries: Mapping[Any, Any], key: object) -> str | None:
    """What to try where the dict has no such key."""
    if type(key) is str and key.lstrip("-").isdigit() and int(key) in entries:
        return f"the key is the int `{key}`, not a string"
    if type(key) is int and str(key) in entries:
        return f'the key is the string `"{key}"`, not an int'
    names = [other for other in entries if type(other) is str]
    close = did_you_mean(key, names) if type(key) is str else None
    if close is not None:
        return f"did you mean `{close}`?"
    if not entries:
        return "the dict is empty; `.get(key)` gives None for what is not there"
    if len(names) == len(entries) <= _SHOWN:
        return f"it has {_listed(names)}"
    return "`.get(key)` gives None for what is not there"


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(f"`{each}`" for each in known[:_SHOWN]) + more


def _frozen(value: object, frame: FrameType) -> tuple[str, tuple[str, ...]]:
    """Which file made the value, and why it cannot change any more."""
    copy = {list: "list(...)", dict: "dict(...)"}
    kind = next((text for base, text in copy.items() if isinstance(value, base)), "set(...)")
    hint = f"make a copy, and change that: `{kind}`"
    scope = frame.f_globals
    text = module_text(frame)
    path = text.path if text is not None else "its file"
    own = scope.get("·" + frame.f_code.co_name, scope.get(frame.f_code.co_name))
    if isinstance(own, FunctionType):
        code = own.__code__
        count = code.co_argcount
        named = dict(zip(code.co_varnames[:count][::-1], (own.__defaults__ or ())[::-1], strict=False))
        for name, default in {**named, **(own.__kwdefaults__ or {})}.items():
            if default is value:
                note = f"it is the default of the parameter `{name}`: made once, when `{path}` was loaded, and shared by all calls"
                return f"let the default be None, and begin with `{name} = {name} or []`", (note,)
    for name, held in scope.items():
        if held is value and not name.startswith("+"):
            return hint, (
                f"it is `{name.lstrip('·')}`: what a file defines or loads is frozen when that file has been loaded",
            )
    return hint, ("it was finished before this ran, and is frozen since",)


def _unbound(message: str, frame: FrameType) -> str | None:
    name = message.partition("'")[2].partition("'")[0]
    if message.startswith("global"):
        return f"`{name}` is defined further down in the file: move that up, before this runs"
    if name in frame.f_globals or "·" + name in frame.f_globals:
        return (
            f"the function assigns `{name}`, so the name is its own everywhere in it, and not the file's `{name}`: "
            "use another name, and return the new value"
        )
    return f"not every way through the function gives `{name}` a value: give it one at the beginning"


def _not_iterable(message: str) -> str | None:
    if "type 'string' is" in message:
        return "to go through its characters write `.elems()`"
    if "type 'int' is" in message:
        return "to count write `range(n)`"
    if "type 'NoneType' is" in message:
        return "it is None: a function without `return` gives None"
    return None


def _operands(operation: str) -> str | None:
    if operation in _OPERANDS:
        return _OPERANDS[operation]
    left, _, right = operation.rpartition(" ")[0].rpartition(" ")[0], "", operation.rpartition(" ")[2]
    if "NoneType" in (left, right):
        return "one side is None: a function without `return`, or `.get` of a key that is not there, gives None"
    if "<=>" in operation:
        return "only values of one type have an order: convert one side"
    if "bool" in (left, right):
        return "convert with `int(...)`"
    return None


def _arguments(message: str, frame: FrameType) -> tuple[str | None, tuple[str, ...]]:
    """The parameters of the function, and the one that may be meant."""
    name, brackets, rest = message.partition("() ")
    if not brackets:
        return None, ()
    function = _found(name, frame)
    if function is None:
        return None, ()
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    hint = None
    if rest.startswith("got unexpected keyword argument"):
        close = did_you_mean(rest.rpartition(": ")[2], code.co_varnames[:count])
        hint = f"did you mean `{close}`?" if close else None
    text = function.__globals__.get(MARK)
    where = f" ({text.path}:{code.co_firstlineno})" if isinstance(text, ModuleText) else ""
    return hint, (f"it is `{_signature(function)}`{where}",)


def _found(name: str, frame: FrameType) -> FunctionType | None:
    """The function of that name that the frame can call."""
    for held in (frame.f_locals.get(name), frame.f_globals.get(name), frame.f_globals.get("·" + name)):
        if isinstance(held, FunctionType):
            return held
    for held in (*frame.f_locals.values(), *frame.f_globals.values()):
        if isinstance(held, FunctionType) and function_name(held.__code__) == name and MARK in held.__globals__:
            return held
    return None


def _signature(function: FunctionType) -> str:
    from mlbuild.lang.runtime.text import repr_value

    code = function.__code__
    names = [each.lstrip("·") for each in code.co_varnames]
    places, only = names[: code.co_argcount], names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    stars = names[code.co_argcount + code.co_kwonlyargcount :]
    defaults = dict(zip(places[::-1], (function.__defaults__ or ())[::-1], strict=False))
    defaults |= function.__kwdefaults__ or {}

    def shown(name: str) -> str:
        if name not in defaults:
            return name
        value = repr_value(defaults[name])
        return f"{name} = {value if len(value) <= 20 else '...'}"

    parts = [shown(name) for name in places]
    if code.co_flags & 4:
        parts.append("*" + stars.pop(0))
    elif only:
        parts.append("*")
    parts += [shown(name) for name in only]
    if code.co_flags & 8:
        parts.append("**" + stars.pop(0))
    name = function_name(code)
    return f"{name}({', '.join(parts)})"
