"""What `bytes.elems()`, `string.codepoints()` and their like give: a sequence that can only be iterated over."""

from __future__ import annotations

from mlbuild.lang.runtime.thread import grow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class View:
    """The elements of a value; it is written as the call that gave it."""

    __slots__ = ("_call", "_elements")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, call: Callable[[], str], elements: Sequence[Any]) -> None:
        self._call = call
        self._elements = elements

    def starlark_iter(self) -> Sequence[Any]:
        if type(self._elements) is str:
            grow(len(self._elements) * (8 if self._elements.isascii() else 88))
        return self._elements

    def starlark_repr(self) -> str:
        return self._call()


class StringElems(View):
    """Its elements can be counted and asked for by place, as in starlark-go."""

    __slots__ = ()
    starlark_type = "string.elems"

    def starlark_len(self) -> int:
        return len(self._elements)

    def starlark_index(self, key: Any) -> Any:
        from mlbuild.lang.runtime.ops import index

        return index(self._elements, key)


class StringCodepoints(View):
    __slots__ = ()
    starlark_type = "string.codepoints"


class BytesElems(View):
    __slots__ = ()
    starlark_type = "bytes.elems"
