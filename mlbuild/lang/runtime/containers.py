"""Keys, membership, indexing and unpacking of what holds other values."""

from __future__ import annotations

from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.runtime.compare import equal, host_binary
from mlbuild.lang.runtime.keys import ENTRY, find, store
from mlbuild.lang.runtime.loops import elements, loop, mutable
from mlbuild.lang.runtime.members import no_attribute
from mlbuild.lang.runtime.text import repr_value, scanned, sized
from mlbuild.lang.runtime.thread import charge, grow
from mlbuild.lang.runtime.values import DICTS, LISTS, SIZED, TYPES, FrozenList, Set, Struct, fail, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def contains(item: Any, value: Any) -> bool:
    """`item in value`."""
    kind = type(value)
    if kind is str:
        if type(item) is not str:
            fail("bad-operands", f"'in <string>' requires string as left operand, not {type_name(item)}")
        scanned(value)
        return item in value
    if kind in DICTS:
        return find(value, item) is not None
    if kind in LISTS or kind is tuple:
        if len(value) > 16:
            charge(len(value) if type(item) is not str else len(value) >> 2)
        if type(item) is str:
            return item in value
        return any(equal(item, each) for each in value)
    if kind is Set:
        return find(value.items, item) is not None
    if kind is range:
        if type(item) is int or type(item) is float:
            return item in value
        fail("bad-operands", f"'in range' requires integer as left operand, not {type_name(item)}")
    if kind is bytes:
        if type(item) is bytes or (type(item) is int and 0 <= item < 256):
            scanned(value)
            return item in value
        if type(item) is int:
            fail("out-of-range", f"int in bytes: {item} out of range")
        fail("bad-operands", f"'in bytes' requires bytes or int as left operand, not {type_name(item)}")
    if kind not in TYPES and (method := getattr(kind, "starlark_contains", None)) is not None:
        return bool(method(value, item))
    found = host_binary("in", item, value)
    if found is NotImplemented:
        fail("bad-operands", f"unsupported binary operation: {type_name(item)} in {type_name(value)}")
    return bool(found)


def not_contains(item: Any, value: Any) -> bool:
    return not contains(item, value)


def index(value: Any, key: Any) -> Any:
    """`value[key]`."""
    kind = type(value)
    if kind in DICTS:
        found = find(value, key)
        if found is None:
            from mlbuild.lang.runtime.advice import hint_for_key

            fail("no-such-key", f"key {repr_value(key)} not found in dictionary", hint_for_key(value, key))
        return found[0]
    if kind in LISTS or kind in _INDEXED:
        if type(key) is not int:
            fail("wrong-type", f"got {type_name(key)} for sequence index, want int")
        try:
            return value[key]
        except IndexError:
            fail("out-of-range", out_of_range(key, len(value)))
    if kind not in TYPES and (method := getattr(kind, "starlark_index", None)) is not None:
        return method(value, key)
    message = f"type '{type_name(value)}' has no operator []({type_name(key)})"
    raise StarlarkError.of("bad-operands", message)


_INDEXED = frozenset((tuple, str, bytes, range))


def out_of_range(key: int, length: int) -> str:
    return f"index out of range (index is {key}, but sequence has {length} elements)"


def slice_of(value: Any, start: Any, stop: Any, step: Any) -> Any:
    """`value[start:stop:step]`."""
    kind = type(value)
    if kind not in LISTS and kind not in _INDEXED:
        fail("bad-operands", f"type '{type_name(value)}' has no operator [:]")
    for name, bound in (("start", start), ("stop", stop), ("slice step", step)):
        if bound is not None and type(bound) is not int:
            fail("wrong-type", f"got {type_name(bound)} for {name}{' index' if name[1] == 't' else ''}, want int")
    if step == 0:
        fail("out-of-range", "slice step cannot be zero")
    if kind is str:
        made: str = value[start:stop:step]
        return made if made is value else sized(made)
    if kind is not range and len(value) > 16:
        count = len(range(*slice(start, stop, step).indices(len(value))))
        grow(count if kind is bytes else 8 * count)
        charge(count >> 3)
    result = value[start:stop:step]
    return list(result) if kind is FrozenList else result


def set_index(value: Any, key: Any, item: Any) -> None:
    """`value[key] = item`."""
    kind = type(value)
    if kind in DICTS:
        mutable(value)
        store(value, key, item)
    elif kind in LISTS:
        mutable(value)
        if type(key) is not int:
            fail("wrong-type", f"got {type_name(key)} for sequence index, want int")
        try:
            value[key] = item
        except IndexError:
            fail("out-of-range", out_of_range(key, len(value)))
    else:
        fail("bad-operands", f"can only assign an element in a dictionary or a list, not in a '{type_name(value)}'")


def set_field(value: Any, name: str, item: Any) -> None:
    """`value.name = item`."""
    kind = type(value)
    if kind not in TYPES and (method := getattr(kind, "starlark_set_field", None)) is not None:
        method(value, name, item)
        return
    if kind not in TYPES and kind is not Struct and not hasattr(kind, "starlark_attr"):
        no_attribute(value, name)
    fail("frozen", f"{type_name(value)} value does not support field assignment")


def unpack(value: Any, count: int) -> Any:
    """The items of `a, b = value`, exactly as many as there are names."""
    if type(value) is tuple and len(value) == count:
        return value
    if type(value) not in SIZED and not hasattr(type(value), "starlark_iter"):
        fail("wrong-type", f"got '{type_name(value)}' in sequence assignment (want {count}-element sequence)")
    if type(value) in SIZED and len(value) != count:
        items = value
    else:
        items = list(loop(value))
    if len(items) != count:
        few = "few" if len(items) < count else "many"
        fail("wrong-length", f"too {few} values to unpack (got {len(items)}, want {count})")
    return items


def star(value: Any) -> Any:
    """`f(*value)`."""
    if type(value) not in SIZED and not hasattr(type(value), "starlark_iter"):
        fail("wrong-type", f"argument after * must be an iterable, not {type_name(value)}")
    found = elements(value)
    if len(found) > 8:
        grow(len(found) * (40 if type(found) is range else 8))
    return found


def star_star(value: Any) -> Any:
    """`f(**value)`."""
    if type(value) not in DICTS:
        fail("wrong-type", f"argument after ** must be a dict, not {type_name(value)}")
    for key in value:
        if type(key) is not str:
            fail("wrong-type", f"keywords must be strings, not {type_name(key)}")
    if len(value) > 4:
        charge(len(value))
        grow(ENTRY * len(value))
    return value
