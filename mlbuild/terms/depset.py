"""Depset: an ordered set made of direct elements and of other depsets, flattened only when asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from mlbuild.records import entity

ORDERS = ("default", "postorder", "preorder", "topological")


@entity
class Depset:
    """Bazel's depset. `default` and `postorder` yield children before own elements."""

    direct: tuple[object, ...] = ()
    transitive: tuple[Depset, ...] = ()
    order: str = "default"

    starlark_type: ClassVar[str] = "depset"

    @classmethod
    def of(cls, direct: Iterable[object] = (), transitive: Iterable[Depset] = (), order: str = "default") -> Depset:
        return cls(tuple(direct), tuple(each for each in transitive if each), order)

    def __bool__(self) -> bool:
        return bool(self.direct) or bool(self.transitive)

    def to_tuple(self) -> tuple[object, ...]:
        """The elements, each once, in the depset's order. Iterative: chains may be deep."""
        if self.order == "topological":
            return tuple(reversed(tuple(dict.fromkeys(self._topological_backwards()))))
        return tuple(dict.fromkeys(self._walk()))

    def _walk(self) -> Iterator[object]:
        seen: set[int] = {id(self)}
        parents_first = self.order == "preorder"
        if parents_first:
            yield from self.direct
        stack: list[tuple[Depset, Iterator[Depset]]] = [(self, iter(self.transitive))]
        while stack:
            node, children = stack[-1]
            for child in children:
                if id(child) not in seen:
                    seen.add(id(child))
                    if parents_first:
                        yield from child.direct
                    stack.append((child, iter(child.transitive)))
                    break
            else:
                stack.pop()
                if not parents_first:
                    yield from node.direct

    def _topological_backwards(self) -> Iterator[object]:
        """Postorder from right to left; reversed, every element stands before those it reaches."""
        seen: set[int] = {id(self)}
        stack: list[tuple[Depset, Iterator[Depset]]] = [(self, reversed(self.transitive))]
        while stack:
            node, children = stack[-1]
            for child in children:
                if id(child) not in seen:
                    seen.add(id(child))
                    stack.append((child, reversed(child.transitive)))
                    break
            else:
                stack.pop()
                yield from reversed(node.direct)

    # What Starlark sees (the host value protocol of `mlbuild.lang`).
    starlark_methods: ClassVar[tuple[str, ...]] = ("to_list",)

    def to_list(self) -> list[object]:
        return list(self.to_tuple())

    def starlark_repr(self) -> str:
        return f"depset({list(self.to_tuple())!r})"

    def starlark_truth(self) -> bool:
        return bool(self)
