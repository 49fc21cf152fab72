"""Comments that tell the formatter what to leave as it is."""

from __future__ import annotations

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
    return words in file.text.lower() and any(node.has_comment(words) for node in walk(file))
