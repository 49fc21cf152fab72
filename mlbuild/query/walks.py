"""Walks over graphs: pure functions of nodes and of what gives a node's successors. None of them recurses."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

N = TypeVar("N", bound=Hashable)
Successors = Callable[[N], Iterable[N]]


def closure(start: Iterable[N], successors: Successors[N], depth: int | None = None) -> dict[N, int]:
    """Everything reachable in at most `depth` steps, breadth first, with the number of steps."""
    found = dict.fromkeys(start, 0)
    layer = list(found)
    steps = 0
    while layer and steps != depth:
        steps += 1
        following: list[N] = []
        for node in layer:
            for each in successors(node):
                if each not in found:
                    found[each] = steps
                    following.append(each)
        layer = following
    return found


def turned(nodes: Iterable[N], successors: Successors[N]) -> dict[N, list[N]]:
    """The edges among the nodes, the other way round."""
    found: dict[N, list[N]] = {node: [] for node in nodes}
    for node in found:
        for each in successors(node):
            if each in found:
                found[each].append(node)
    return found


def shortest_path(start: Iterable[N], ends: Iterable[N], successors: Successors[N]) -> tuple[N, ...]:
    """A shortest path from one of the starts to one of the ends, both included; empty if there is none."""
    wanted = frozenset(ends)
    came_from: dict[N, N | None] = dict.fromkeys(start)
    layer = list(came_from)
    while layer:
        following: list[N] = []
        for node in layer:
            if node in wanted:
                return _back(came_from, node)
            for each in successors(node):
                if each not in came_from:
                    came_from[each] = node
                    following.append(each)
        layer = following
    return ()


def _back(came_from: Mapping[N, N | None], end: N) -> tuple[N, ...]:
    path = [end]
    while (before := came_from[path[-1]]) is not None:
        path.append(before)
    return tuple(reversed(path))


def topological(nodes: Iterable[N], successors: Successors[N]) -> list[N]:
    """The nodes and all that they reach, each before its successors: the reverse of the postorder from the nodes in turn.

    Where edges go in a circle, some node of it is first.
    """
    finished: list[N] = []
    seen: set[N] = set()
    for root in nodes:
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(tuple(successors(root))))]
        while stack:
            node, waiting = stack[-1]
            for each in waiting:
                if each not in seen:
                    seen.add(each)
                    stack.append((each, iter(tuple(successors(each)))))
                    break
            else:
                finished.append(node)
                stack.pop()
    finished.reverse()
    return finished


def components(nodes: Iterable[N], successors: Successors[N]) -> list[tuple[N, ...]]:
    """Nodes that reach each other, together; every component before those that it reaches."""
    order = topological(nodes, successors)
    before = turned(order, successors)
    seen: set[N] = set()
    found: list[tuple[N, ...]] = []
    for root in order:
        if root in seen:
            continue
        seen.add(root)
        members = [root]
        for node in members:  # grows while it is walked
            for each in before[node]:
                if each not in seen:
                    seen.add(each)
                    members.append(each)
        found.append(tuple(members))
    return found


def longest_distances(nodes: Iterable[N], successors: Successors[N]) -> dict[N, int]:
    """Of every node, the length of the longest path to it from a node without predecessors; in a circle all have the same."""
    groups = components(nodes, successors)
    group_of = {node: number for number, group in enumerate(groups) for node in group}
    longest = [0] * len(groups)
    for number, group in enumerate(groups):
        for node in group:
            for each in successors(node):
                other = group_of[each]
                if other != number:
                    longest[other] = max(longest[other], longest[number] + 1)
    return {node: longest[number] for node, number in group_of.items()}


def shortest_distances(nodes: Iterable[N], successors: Successors[N]) -> dict[N, int]:
    """Of every node, the length of the shortest path to it from a node without predecessors; in a circle all have the same."""
    groups = components(nodes, successors)
    group_of = {node: number for number, group in enumerate(groups) for node in group}
    between = [
        tuple(dict.fromkeys(group_of[each] for node in group for each in successors(node) if group_of[each] != number))
        for number, group in enumerate(groups)
    ]
    reached = {other for each in between for other in each}
    roots = [number for number in range(len(groups)) if number not in reached]
    distances = closure(roots, lambda number: between[number])
    return {node: distances[number] for node, number in group_of.items()}
