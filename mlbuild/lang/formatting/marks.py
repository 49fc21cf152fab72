"""Comments that tell the formatter what to leave as it is."""

from __future__ import annotations

from collections.abc import Iterator

from mlbuild.lang.formatting.nodes import File, Node, walk


def is_left_alone(node: Node) -> bool:
    """`# buildifier: leave-alone`"""
    return node.has_comment("buildifier: leave-alone")


def is_not_sorted(node: Node) -> bool:
    """`# do not sort`"""
    return node.has_comment("do not sort")


def is_kept_sorted(node: Node) -> bool:
    """`# keep sorted`"""
    return node.has_comment("keep sorted")


def is_said_anywhere(file: File, words: str) -> bool:
    """Whether any comment of the file says the words."""
    return any(node.has_comment(words) for node, _ in walk(file))


def walk_unless_left_alone(file: File) -> Iterator[Node]:
    """Every node, outer before inner, but those in and below one that is left alone."""
    left_alone: list[bool] = []
    for node, above in walk(file):
        del left_alone[len(above) :]
        left_alone.append((bool(left_alone) and left_alone[-1]) or is_left_alone(node))
        if not left_alone[-1]:
            yield node
