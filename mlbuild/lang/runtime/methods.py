"""The methods of lists, dicts and sets, and the table of all methods of the native types."""

from __future__ import annotations

from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.runtime.compare import equal
from mlbuild.lang.runtime.keys import find, pay_for_entries, store
from mlbuild.lang.runtime.loops import elements, mutable, still
from mlbuild.lang.runtime.methods_text import BYTES_METHODS, NONE, STRING_METHODS, want, wrong
from mlbuild.lang.runtime.text import repr_value
from mlbuild.lang.runtime.thread import charge, grow
from mlbuild.lang.runtime.values import DICTS, SIZED, Builtin, FrozenDict, FrozenList, Set, fail, hashable, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_MISSING = object()


# Lists
def _append(self: list[Any], item: Any, /) -> None:
    mutable(self)
    self.append(item)


def _clear_list(self: list[Any], /) -> None:
    mutable(self)
    self.clear()


def _extend(self: list[Any], items: Any, /) -> None:
    if type(items) not in SIZED and not hasattr(type(items), "starlark_iter"):
        wrong("extend", "items", items, "iterable")
    mutable(self)
    if type(items) is range and len(items) > 1 << 26:
        fail("too-large", f"excessive capacity requested ({len(items)} elements)")
    found = elements(items)
    if len(found) > 8:
        grow(len(found) * (40 if type(found) is range else 8))
    self.extend(found)


def _index(self: list[Any], x: Any, start: Any = None, end: Any = None, /) -> int:
    want("index", "start", start, int, NONE)
    want("index", "end", end, int, NONE)
    _look_through(self)
    for position in range(*slice(start, end).indices(len(self))):
        if equal(self[position], x):
            return position
    raise StarlarkError.of("not-found", f"item {repr_value(x)} not found in list")


def _insert(self: list[Any], index: Any, item: Any, /) -> None:
    want("insert", "index", index, int)
    mutable(self)
    if len(self) > 64:
        charge(len(self) >> 6)
    self.insert(max(-len(self), min(index, len(self))), item)


def _pop_list(self: list[Any], index: Any = -1, /) -> Any:
    want("pop", "i", index, int, NONE)
    mutable(self)
    index = -1 if index is None else index
    if len(self) > 64 and index != -1:
        charge(len(self) >> 6)
    try:
        return self.pop(index)
    except IndexError:
        fail("out-of-range", f"index out of range (index is {index}, but sequence has {len(self)} elements)")


def _look_through(items: Any) -> None:
    if len(items) > 16:
        charge(2 * len(items))


def _remove_item(self: list[Any], x: Any, /) -> None:
    mutable(self)
    _look_through(self)
    for position, item in enumerate(self):
        if equal(item, x):
            del self[position]
            return
    fail("not-found", f"item {repr_value(x)} not found in list")


# Dicts
def _clear_dict(self: dict[Any, Any], /) -> None:
    mutable(self)
    self.clear()


def _get(self: dict[Any, Any], key: Any, /, default: Any = None) -> Any:
    found = find(self, key)
    return default if found is None else found[0]


def _items(self: dict[Any, Any], /) -> list[Any]:
    if len(self) > 4:
        grow(72 * len(self))
    return list(elements(self) and self.items())


def _keys(self: dict[Any, Any], /) -> list[Any]:
    if len(self) > 8:
        grow(8 * len(self))
    return list(elements(self))


def _values(self: dict[Any, Any], /) -> list[Any]:
    if len(self) > 8:
        grow(8 * len(self))
    return list(elements(self) and self.values())


def _pop_dict(self: dict[Any, Any], key: Any, /, default: Any = _MISSING) -> Any:
    found = find(self, key)
    mutable(self)
    if found is not None:
        del self[key]
        return found[0]
    if default is _MISSING:
        fail("no-such-key", f"KeyError: {repr_value(key)}")
    return default


def _popitem(self: dict[Any, Any], /) -> tuple[Any, Any]:
    mutable(self)
    if not self:
        fail("no-such-key", "popitem: empty dictionary")
    key = next(iter(self))
    return key, self.pop(key)


def _setdefault(self: dict[Any, Any], key: Any, /, default: Any = None) -> Any:
    found = find(self, key)
    if found is not None:
        return found[0]
    mutable(self)
    store(self, key, default)
    return default


def _update(self: dict[Any, Any], pairs: Any = (), /, **kwargs: Any) -> None:
    mutable(self)
    for key, value in mapping_of("update", pairs, kwargs):
        store(self, key, value)


def mapping_of(function: str, pairs: Any, kwargs: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The entries that `dict` and `update` take: of a dict, or of pairs, and of the keywords."""
    entries: list[tuple[Any, Any]] = []
    if type(pairs) in SIZED:
        pay_for_entries(len(pairs))
    if type(pairs) in DICTS:
        elements(pairs)
        entries += pairs.items()
    elif type(pairs) not in SIZED and not hasattr(type(pairs), "starlark_iter"):
        fail("wrong-type", f"in {function}, got {type_name(pairs)}, want iterable")
    else:
        for index, pair in enumerate(elements(pairs)):
            if type(pair) not in SIZED:
                message = (
                    f"in {function}, dictionary update sequence element #{index} is not iterable ({type_name(pair)})"
                )
                fail("wrong-type", message)
            if len(pair) != 2:
                message = f"in {function}, item #{index} has length {len(pair)}, but exactly two elements are required"
                fail("wrong-length", message)
            key, value = pair
            entries.append((hashable(key), value))
    pay_for_entries(len(entries) + len(kwargs))
    return [*entries, *kwargs.items()]


# Sets
def _others(name: str, others: Iterable[Any]) -> list[Set]:
    return [_as_set(name, other) for other in others]


def _as_set(name: str, other: Any) -> Set:
    if type(other) is Set:
        return other
    if type(other) not in SIZED and not hasattr(type(other), "starlark_iter"):
        message = f"in call to {name}(), got value of type '{type_name(other)}', want a collection of hashable elements"
        fail("wrong-type", message)
    found = elements(other)
    pay_for_entries(len(found))
    return Set(map(hashable, found))


def _add(self: Set, element: Any, /) -> None:
    still(self)
    if find(self.items, element) is None:
        mutable(self)
        store(self.items, element, None)


def _clear_set(self: Set, /) -> None:
    if self.items:
        mutable(self)
        self.items.clear()


def _discard(self: Set, element: Any, /) -> None:
    still(self)
    if find(self.items, element) is not None:
        mutable(self)
        del self.items[element]


def _remove_element(self: Set, element: Any, /) -> None:
    mutable(self)
    if find(self.items, element) is None:
        fail("not-found", f"element {repr_value(element)} not found in set")
    del self.items[element]


def _pop_set(self: Set, /) -> Any:
    mutable(self)
    if not self.items:
        fail("no-such-key", "set is empty")
    first = next(iter(self.items))
    del self.items[first]
    return first


def _union(self: Set, /, *others: Any) -> Set:
    result = _copy(self)
    for other in _others("union", others):
        pay_for_entries(len(other))
        result.items.update(elements(other).items)
    return result


def _copy(items: Set) -> Set:
    pay_for_entries(len(items))
    return Set(elements(items))


def _intersection(self: Set, /, *others: Any) -> Set:
    found = _others("intersection", others)
    pay_for_entries(len(self))
    charge(len(self) * len(found))
    return Set(item for item in elements(self) if all(item in other.items for other in found))


def _difference(self: Set, /, *others: Any) -> Set:
    found = _others("difference", others)
    pay_for_entries(len(self))
    charge(len(self) * len(found))
    return Set(item for item in elements(self) if not any(item in other.items for other in found))


def _symmetric_difference(self: Set, other: Any, /) -> Set:
    found = _as_set("symmetric_difference", other)
    pay_for_entries(len(self) + len(found))
    return Set(
        [*(x for x in elements(self) if x not in found.items), *(x for x in elements(found) if x not in self.items)]
    )


def _in_place(name: str, operate: Callable[..., Set]) -> Callable[..., None]:
    def method(self: Set, /, *others: Any) -> None:
        found = _others(name, others)
        mutable(self)
        self.items = operate(self, *found).items

    return method


def _symmetric_difference_update(self: Set, other: Any, /) -> None:
    mutable(self)
    self.items = _symmetric_difference(self, other).items


def _issubset(self: Set, other: Any, /) -> bool:
    found = _as_set("issubset", other)
    return all(item in found.items for item in elements(self))


def _issuperset(self: Set, other: Any, /) -> bool:
    return all(item in self.items for item in elements(_as_set("issuperset", other)))


def _isdisjoint(self: Set, other: Any, /) -> bool:
    return not any(item in self.items for item in elements(_as_set("isdisjoint", other)))


_LIST: dict[str, Callable[..., Any]] = {
    "append": _append,
    "clear": _clear_list,
    "extend": _extend,
    "index": _index,
    "insert": _insert,
    "pop": _pop_list,
    "remove": _remove_item,
}
_DICT: dict[str, Callable[..., Any]] = {
    "clear": _clear_dict,
    "get": _get,
    "items": _items,
    "keys": _keys,
    "pop": _pop_dict,
    "popitem": _popitem,
    "setdefault": _setdefault,
    "update": _update,
    "values": _values,
}
_SET: dict[str, Callable[..., Any]] = {
    "add": _add,
    "clear": _clear_set,
    "difference": _difference,
    "difference_update": _in_place("difference_update", _difference),
    "discard": _discard,
    "intersection": _intersection,
    "intersection_update": _in_place("intersection_update", _intersection),
    "isdisjoint": _isdisjoint,
    "issubset": _issubset,
    "issuperset": _issuperset,
    "pop": _pop_set,
    "remove": _remove_element,
    "symmetric_difference": _symmetric_difference,
    "symmetric_difference_update": _symmetric_difference_update,
    "union": _union,
    "update": _in_place("update", _union),
}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    str: STRING_METHODS,
    bytes: BYTES_METHODS,
    list: _LIST,
    FrozenList: _LIST,
    dict: _DICT,
    FrozenDict: _DICT,
    Set: _SET,
    **{kind: {} for kind in (int, bool, float, NONE, tuple, range)},
}
for _table in (STRING_METHODS, BYTES_METHODS, _LIST, _DICT, _SET):
    for _name, _method in _table.items():
        # CPython names the function in its argument errors; "method." tells that the receiver is counted.
        _method.__name__, _method.__qualname__ = _name, f"method.{_name}"


def bound(value: Any, name: str) -> Builtin:
    """The method of a native value as a value."""
    grow(400)
    method = METHODS[type(value)][name]
    return Builtin(name, lambda *args, **kwargs: method(value, *args, **kwargs), value)
