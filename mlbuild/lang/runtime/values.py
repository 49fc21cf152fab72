"""The values that are not Python's own: frozen lists and dicts, sets, structs, namespaces; types, freezing, hashing."""

from __future__ import annotations

import math
from types import FunctionType

from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.runtime.thread import charge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, NoReturn

    AnyList = list[Any]
    AnyDict = dict[Any, Any]
else:
    AnyList, AnyDict = list, dict

NAN = math.nan


def frozen(kind: str, value: object) -> StarlarkError:
    """The error that the value, of a file that has been loaded, cannot change."""
    error = StarlarkError.of("frozen", f"trying to mutate a frozen {kind} value")
    error.subject = value
    return error


def _refuse(kind: str) -> Callable[..., NoReturn]:
    def refuse(self: object, *_: object, **__: object) -> NoReturn:
        raise frozen(kind, self)

    return refuse


class FrozenList(AnyList):
    """A list that belongs to a finished module."""

    __slots__ = ()
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse("list")
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse("list")


class FrozenDict(AnyDict):
    """A dict that belongs to a finished module."""

    __slots__ = ()
    clear = pop = popitem = setdefault = update = _refuse("dict")
    __setitem__ = __delitem__ = __ior__ = _refuse("dict")


class Set:
    """A set in the order of insertion."""

    __slots__ = ("frozen", "items")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items: dict[Any, None] = dict.fromkeys(items)
        self.frozen = False

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item: object) -> bool:
        return item in self.items

    def __eq__(self, other: object) -> bool:
        return type(other) is Set and self.items.keys() == other.items.keys()


class Struct:
    """A value with named fields, as `struct(a = 1)` makes it."""

    __slots__ = ("fields",)
    starlark_type = "struct"

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields: dict[str, Any] = dict(fields)

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(sorted(self.fields))

    def starlark_attr(self, name: str) -> Any:
        return self.fields[name]

    def starlark_freeze(self) -> None:
        for name, value in self.fields.items():
            self.fields[name] = freeze(value)

    def __eq__(self, other: object) -> bool:
        from mlbuild.lang.runtime.compare import equal

        if type(other) is not Struct or self.fields.keys() != other.fields.keys():
            return False
        charge(16 * len(self.fields) + 16)
        return all(equal(value, other.fields[name]) for name, value in self.fields.items())

    def __hash__(self) -> int:
        return hash(tuple(sorted((name, hash(hashable(value))) for name, value in self.fields.items())))

    def __repr__(self) -> str:
        return f"Struct({self.fields!r})"


class Namespace:
    """A frozen value with attributes, such as `json` and `native`."""

    __slots__ = ("_members", "name")
    starlark_type = "module"

    def __init__(self, name: str, members: Mapping[str, Any]) -> None:
        self.name = name
        self._members = dict(members)

    def starlark_dir(self) -> tuple[str, ...]:
        return tuple(sorted(self._members))

    def starlark_attr(self, name: str) -> Any:
        return self._members[name]

    def starlark_repr(self) -> str:
        return f"<module {self.name}>"


class Builtin:
    """A function of the host. Made by `builtin`; calling it binds and checks as Starlark does."""

    __slots__ = ("call", "name", "receiver")

    def __init__(self, name: str, call: Callable[..., Any], receiver: object = None) -> None:
        self.name = name
        self.call = call
        self.receiver = receiver

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<built-in function {self.name}>"


TYPES: dict[type, str] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "string",
    bytes: "bytes",
    list: "list",
    FrozenList: "list",
    dict: "dict",
    FrozenDict: "dict",
    tuple: "tuple",
    type(None): "NoneType",
    range: "range",
    Set: "set",
    FunctionType: "function",
    Builtin: "builtin_function_or_method",
}
LISTS = (list, FrozenList)
DICTS = (dict, FrozenDict)
SIZED: frozenset[type] = frozenset((list, FrozenList, dict, FrozenDict, tuple, range, Set))
"""The native types that can be iterated."""


def type_name(value: object) -> str:
    """What `type(value)` is in Starlark."""
    kind = type(value)
    name = TYPES.get(kind)
    if name is not None:
        return name
    return str(getattr(kind, "starlark_type", kind.__name__))


def fail(code: str, message: str, hint: str | None = None) -> NoReturn:
    """Raises the error; it gets its place on the way out."""
    raise StarlarkError.of(code, message, hint)


def hashable(value: Any) -> Any:
    """The value, if it can be a key."""
    kind = type(value)
    if kind is str or kind is int:
        return value
    if kind is tuple:
        _check_parts(value)
        return value
    if kind is float:
        return NAN if value != value else value
    if kind in _UNHASHABLE or kind.__hash__ is None:
        fail("unhashable", f"unhashable type: '{type_name(value)}'")
    if kind is Struct:
        _check_parts(value)
    return value


_MAX_KEY = 1 << 16
"""How many parts a key may have: each look at it goes through all of them, shared ones too."""


def _check_parts(key: Any, seen: int = 0) -> int:
    """Refuses a tuple or struct that cannot be a key. How many parts it has, with those seen before."""
    parts = key if type(key) is tuple else key.fields.values()
    seen += len(parts)
    if seen > _MAX_KEY:
        fail("too-large", f"a key of more than {_MAX_KEY} parts is too large")
    if len(parts) > 8:
        charge(len(parts))
    for part in parts:
        if type(part) is tuple or type(part) is Struct:
            seen = _check_parts(part, seen)
        else:
            hashable(part)
    return seen


_UNHASHABLE = frozenset((list, FrozenList, dict, FrozenDict, Set, range))


def frozen_native(value: object) -> bool:
    """Whether the value cannot be changed, as far as its own type says."""
    kind = type(value)
    return kind is not list and kind is not dict and not (kind is Set and not value.frozen)  # type: ignore[attr-defined]


def freeze(value: Any) -> Any:
    """The value made unchangeable, with all that it holds: use what is returned instead."""
    kind = type(value)
    if kind is list and _ATOMS.issuperset(map(type, value)):
        return FrozenList(value)
    return value if kind in _ATOMS else Freezer().freeze(value)


class Freezer:
    """Freezes many values that may share parts, so that what was shared stays so."""

    def __init__(self) -> None:
        self._done: dict[int, tuple[Any, Any]] = {}

    def freeze(self, value: Any) -> Any:
        kind = type(value)
        if kind in _ATOMS:
            return value
        done = self._done.get(id(value))
        if done is not None:
            return done[1]
        if kind is list:
            # Most hold nothing that could change: these are copied at once.
            plain = _ATOMS.issuperset(map(type, value))
            items = FrozenList(value if plain else ())
            self._done[id(value)] = value, items
            if not plain:
                list.extend(items, map(self.freeze, value))
            return items
        if kind is dict:
            plain = _ATOMS.issuperset(map(type, value.values()))
            entries = FrozenDict(value if plain else ())
            self._done[id(value)] = value, entries
            if not plain:
                dict.update(entries, {key: self.freeze(item) for key, item in value.items()})
            return entries
        if kind is tuple:
            frozen = tuple(map(self.freeze, value))
            if all(a is b for a, b in zip(frozen, value, strict=True)):
                frozen = value
            self._done[id(value)] = value, frozen
            return frozen
        self._done[id(value)] = value, value
        if kind is Set:
            value.frozen = True
        elif kind is FunctionType:
            self._function(value)
        elif kind is Struct:
            for name, item in value.fields.items():
                value.fields[name] = self.freeze(item)
        elif (freeze_host := getattr(kind, "starlark_freeze", None)) is not None:
            freeze_host(value)
        return value

    def _function(self, function: FunctionType) -> None:
        if function.__defaults__:
            function.__defaults__ = tuple(map(self.freeze, function.__defaults__))
        if function.__kwdefaults__:
            function.__kwdefaults__ = {name: self.freeze(item) for name, item in function.__kwdefaults__.items()}
        for cell in function.__closure__ or ():
            try:
                cell.cell_contents = self.freeze(cell.cell_contents)
            except ValueError:  # not bound: the name is never assigned
                continue


_ATOMS = frozenset((str, int, bool, type(None), float, bytes, range, FrozenList, FrozenDict, Builtin, Namespace))
