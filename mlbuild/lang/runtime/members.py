"""`value.name` and `value(...)`: the only ways from a Starlark value to what belongs to it."""

from __future__ import annotations

from types import FunctionType

from mlbuild.lang.runtime.methods import METHODS, bound
from mlbuild.lang.runtime.thread import current
from mlbuild.lang.runtime.values import TYPES, Builtin, Struct, fail, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


def attribute(value: Any, name: str) -> Any:
    """`value.name`."""
    kind = type(value)
    if kind is Struct:
        try:
            return value.fields[name]
        except KeyError:
            return no_attribute(value, name)
    table = METHODS.get(kind)
    if table is not None:
        if name in table:
            return bound(value, name)
    elif kind not in TYPES:
        if name in getattr(kind, "starlark_methods", ()):
            return host_method(value, name)
        get = getattr(kind, "starlark_attr", None)
        if get is not None:
            try:
                return get(value, name)
            except KeyError:
                pass
    return no_attribute(value, name)


def host_method(value: Any, name: str) -> Builtin:
    """A Python method that the host lets Starlark call."""
    method = getattr(value, name)
    return method if type(method) is Builtin else Builtin(name, method, value)


def attribute_names(value: Any) -> tuple[str, ...]:
    """What `dir(value)` lists."""
    kind = type(value)
    if kind in METHODS:
        return tuple(sorted(METHODS[kind]))
    if kind in TYPES:
        return ()
    names = getattr(kind, "starlark_dir", None)
    return tuple(sorted({*(names(value) if names else ()), *getattr(kind, "starlark_methods", ())}))


def no_attribute(value: Any, name: str) -> NoReturn:
    """`value.name` does not exist."""
    from mlbuild.lang.runtime.advice import hint_for_field

    kind = type_name(value)
    message = f"'{kind}' value has no field or method '{name}'"
    fail("no-such-field", message, hint_for_field(value, kind, name, attribute_names(value)))


def callee(value: Any) -> Callable[..., Any]:
    """What to call for `value(...)`."""
    kind = type(value)
    if kind is FunctionType or kind is Builtin:
        return value  # type: ignore[no-any-return]
    call = getattr(kind, "starlark_call", None) if kind not in TYPES else None
    if call is None:
        from mlbuild.lang.runtime.advice import hint_for_call

        name = type_name(value)
        fail("not-callable", f"'{name}' object is not callable", hint_for_call(name))
    return lambda *args, **kwargs: call(value, current(), args, kwargs)
