"""Iteration: what can be iterated over, what it costs, and that nothing changes meanwhile."""

from __future__ import annotations

from itertools import chain, islice

from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.runtime.thread import charge
from mlbuild.lang.runtime.values import SIZED, TYPES, FrozenDict, FrozenList, Set, fail, frozen, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

ITERATING: dict[int, int] = {}
"""By identity, how many loops run over a list, dict or set: it cannot be changed meanwhile. An entry lives as long as its loops,
so the identity is not another's; -1 marks what a test froze where it stands."""

_CHUNK = 1024


def mutable(value: Any) -> None:
    """Refuses to change what is frozen or being iterated over."""
    kind = type(value)
    if kind is FrozenList or kind is FrozenDict or (kind is Set and value.frozen):
        raise frozen(type_name(value), value)
    if ITERATING and (count := ITERATING.get(id(value))) is not None:
        if count < 0:
            raise frozen(type_name(value), value)
        still(value)


def still(value: Any) -> None:
    """Refuses where a loop goes over the value, even to change nothing; a frozen value may pass."""
    if ITERATING.get(id(value), 0) > 0:
        message = f"{type_name(value)} value is temporarily immutable due to active for-loop iteration"
        fail("changed-in-loop", message, "iterate over a copy: `for x in list(...)`")


def begin(value: Any) -> Any:
    """A guarded loop over the value begins."""
    kind = type(value)
    if kind is list or kind is dict or kind is Set:
        key = id(value)
        count = ITERATING.get(key, 0)
        if count >= 0:
            ITERATING[key] = count + 1
    return value


def end(value: Any) -> None:
    """A guarded loop over the value ends, however it ends."""
    key = id(value)
    count = ITERATING.get(key)
    if count is not None and count > 0:
        if count == 1:
            del ITERATING[key]
        else:
            ITERATING[key] = count - 1


def guarded(value: Any, steps: int) -> Iterator[Any]:
    """Iterates in a comprehension whose body might change the value."""
    items = loop(value, steps)
    begin(value)
    try:
        yield from items
    finally:
        end(value)


def loop(value: Any, steps: int = 1) -> Iterable[Any]:
    """What a `for` iterates over; its turns are charged, each with so many steps."""
    if type(value) in SIZED:
        return charged(value, len(value), steps)
    items = _host_iteration(value)
    charge(len(items) * steps)
    return items


def charged(value: Iterable[Any], count: int, steps: int) -> Iterable[Any]:
    """The value, of so many items; its turns are charged. Short loops are paid for with what is around them."""
    if (total := count * steps) > 4096:
        return _metered(value, count, steps)
    if total > 16:
        charge(total)
    return value


def elements(value: Any) -> Any:
    """What a builtin iterates over, charged at once."""
    if type(value) in SIZED:
        count = len(value)
        if count > 64:
            charge(count)
        return value
    return _host_iteration(value)


def _host_iteration(value: Any) -> list[Any]:
    kind = type(value)
    if kind not in TYPES and (iterate := getattr(kind, "starlark_iter", None)) is not None:
        items = list(iterate(value))
        charge(len(items))
        return items
    hint = getattr(kind, "starlark_hint", None) if kind not in TYPES else None
    raise StarlarkError.of("not-iterable", f"type '{type_name(value)}' is not iterable", hint)


def _metered(value: Iterable[Any], count: int, steps: int) -> Iterator[Any]:
    """The items, charged by the thousand: a loop that breaks pays for what it has begun."""
    items = iter(value)
    size = max(_CHUNK // steps, 16)

    def chunks() -> Iterator[Iterator[Any]]:
        for start in range(0, count, size):
            charge(min(size, count - start) * steps)
            yield islice(items, size)

    return chain.from_iterable(chunks())
