"""Frozen records: what `dataclasses.dataclass(frozen=True, slots=True)` gives, without the price of asking for it.

A command that finds nothing to do lives for some tens of milliseconds; `dataclasses` took a third of them, to import `inspect` and to
compile five functions a class. Here one function a class is compiled, and nothing is imported (decision 10). Type checkers
read `@record` as they read a dataclass.
"""

from __future__ import annotations

from _operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_: object) -> Callable[[T], T]:
        return lambda decorator: decorator


class FrozenRecordError(AttributeError):
    """A field of a record was assigned to."""


class _Field:
    __slots__ = ("default", "default_factory", "repr")

    def __init__(self, default: object, default_factory: object, repr: bool) -> None:
        self.default, self.default_factory, self.repr = default, default_factory, repr


_ABSENT = object()


def field(*, default: Any = _ABSENT, default_factory: Callable[[], Any] | None = None, repr: bool = True) -> Any:
    """A field that needs more said than a default."""
    return _Field(default, default_factory, repr)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T], /) -> type[T]:
    """Makes the class a record: slots for the annotated names, a constructor, equality and hash by value, and no assignment."""
    return _made(cls, _equality)


@dataclass_transform(frozen_default=True, order_default=True, field_specifiers=(field,))
def ordered_record(cls: type[T], /) -> type[T]:
    """Makes the class a record that compares as the tuple of its fields."""
    return _made(cls, _equality, _order)


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def entity(cls: type[T], /) -> type[T]:
    """Makes the class a record that is equal to itself alone."""
    return _made(cls)


def replace(instance: T, /, **changes: Any) -> T:
    """The record with other values in some fields. Raises TypeError for a field that it has not."""
    kept: Any = instance
    return type(instance)(
        **{name: getattr(kept, name) for name in kept.__match_args__ if name not in changes} | changes
    )


def as_dict(instance: Any) -> dict[str, Any]:
    """The record's fields by name."""
    return {name: getattr(instance, name) for name in instance.__match_args__}


def as_values(instance: Any) -> tuple[Any, ...]:
    """The record's fields, in their order."""
    return tuple(getattr(instance, name) for name in instance.__match_args__)


def _made(given: type[T], *parts: Callable[[tuple[str, ...]], dict[str, Any]]) -> type[T]:
    space: dict[str, Any] = dict(given.__dict__)
    space.pop("__dict__", None)
    space.pop("__weakref__", None)
    fields: dict[str, Any] = {}
    for base in reversed(given.__mro__[1:]):
        fields |= getattr(base, "__record_fields__", {})
    inherited = set(fields)
    for name, annotation in space.get("__annotations__", {}).items():
        if not annotation.startswith("ClassVar["):
            fields[name] = space.pop(name, _ABSENT)
    space["__record_fields__"] = fields
    names = tuple(fields)
    space["__slots__"] = tuple(name for name in names if name not in inherited)
    space["__match_args__"] = names
    space["__setattr__"], space["__delattr__"] = _refuse_to_set, _refuse_to_delete
    space["__reduce__"] = _reduce
    shown = [name for name, default in fields.items() if default.__class__ is not _Field or default.repr]
    if "__repr__" not in space:
        space["__repr__"] = _repr(shown)
    for part in parts:
        space |= part(names)
    kind: Any = type(given)
    made = kind(given.__name__, given.__bases__, space)
    made.__qualname__ = given.__qualname__
    made.__init__ = _constructor(made, fields)
    return made  # type: ignore[no-any-return]


def _constructor(made: type, fields: dict[str, Any]) -> Any:
    """The only compiled function: calls each slot's own setter, since the class refuses all others."""
    space: dict[str, Any] = {}
    parameters, body = ["self"], []
    for name, default in fields.items():
        space[f"set_{name}"] = getattr(made, name).__set__
        factory = default.default_factory if default.__class__ is _Field else None
        if default.__class__ is _Field:
            default = default.default
        if factory is not None:
            space[f"make_{name}"], default = factory, None
        parameters.append(name if default is _ABSENT else f"{name}=default_{name}")
        space[f"default_{name}"] = default
        given = f"make_{name}() if {name} is None else {name}" if factory is not None else name
        body.append(f"    set_{name}(self, {given})")
    text = f"def __init__({', '.join(parameters)}):\n" + ("\n".join(body) or "    pass")
    exec(compile(text, f"<record {made.__name__}>", "exec"), space)
    function = space["__init__"]
    function.__qualname__ = f"{made.__qualname__}.__init__"
    return function


def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


def _equality(names: tuple[str, ...]) -> dict[str, Any]:
    values = _values(names)

    def __eq__(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": __eq__, "__hash__": __hash__}


def _order(names: tuple[str, ...]) -> dict[str, Any]:
    values = _values(names)

    def __lt__(self: Any, other: Any) -> Any:
        return values(self) < values(other) if other.__class__ is self.__class__ else NotImplemented

    def __le__(self: Any, other: Any) -> Any:
        return values(self) <= values(other) if other.__class__ is self.__class__ else NotImplemented

    def __gt__(self: Any, other: Any) -> Any:
        return values(self) > values(other) if other.__class__ is self.__class__ else NotImplemented

    def __ge__(self: Any, other: Any) -> Any:
        return values(self) >= values(other) if other.__class__ is self.__class__ else NotImplemented

    return {"__lt__": __lt__, "__le__": __le__, "__gt__": __gt__, "__ge__": __ge__}


def _repr(names: list[str]) -> Callable[[Any], str]:
    def __repr__(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return __repr__


def _refuse_to_set(self: object, name: str, _: object) -> None:
    raise FrozenRecordError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise FrozenRecordError(f"cannot delete field {name!r}")


def _reduce(self: Any) -> Any:
    return type(self), as_values(self)
