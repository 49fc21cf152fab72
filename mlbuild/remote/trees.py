"""Folders on their way: one `Tree` message for a whole output folder, and what of one that came may be believed."""

from __future__ import annotations

from collections.abc import Callable

from mlbuild.reapi import decode_directory, decode_tree, encode_directory, encode_tree
from mlbuild.terms import Digest, Directory

MOST_ENTRIES = 5_000_000
"""Of a folder with all that is below it: a few messages that hold each other could stand for more than any disk."""

MOST_LEVELS = 1000
MOST_LINKS_FOLLOWED = 40


def packed(root: Digest, read: Callable[[Digest], bytes]) -> tuple[bytes, tuple[Digest, ...]]:
    """The `Tree` message of a stored folder, and the digests of all its files, each once. Raises BlobMissing."""
    folders: dict[Digest, Directory] = {}
    waiting = [root]
    while waiting:
        digest = waiting.pop()
        if digest not in folders:
            folder = folders[digest] = decode_directory(read(digest)) if digest.size else Directory()
            waiting += [child.digest for child in reversed(folder.directories)]
    files = {file.digest: None for folder in folders.values() for file in folder.files}
    first, *others = folders.values()
    return encode_tree(first, others), tuple(files)


def unpacked(data: bytes) -> tuple[Digest, dict[Digest, bytes], tuple[Digest, ...]]:
    """The root, every `Directory` message by digest, and the files' digests, each once.

    Raises ValueError for a tree that lacks a folder, is too big to be one, or holds a link that leads out of it.
    """
    root, children = decode_tree(data)
    messages: dict[Digest, bytes] = {}
    folders: dict[Digest, Directory] = {}
    for folder in (root, *children):
        message = encode_directory(folder)
        digest = Digest.of(message)
        messages[digest], folders[digest] = message, folder
    top = Digest.of(encode_directory(root))
    _check_size(top, folders)
    if any(folder.symlinks for folder in folders.values()):
        _check_links(root, folders)
    files = {file.digest: None for folder in folders.values() for file in folder.files}
    return top, messages, tuple(files)


def _check_size(top: Digest, folders: dict[Digest, Directory]) -> None:
    """Counts what is below each folder once, however often it stands there. By digests, nothing can hold itself."""
    counted: dict[Digest, tuple[int, int]] = {}
    waiting = [top]
    while waiting:
        digest = waiting[-1]
        folder = folders.get(digest)
        if folder is None:
            raise ValueError("the tree lacks a folder that it names")
        open_ones = [child.digest for child in folder.directories if child.digest not in counted]
        if open_ones:
            waiting += open_ones
            continue
        waiting.pop()
        below = [counted[child.digest] for child in folder.directories]
        entries = len(folder.files) + len(folder.symlinks) + sum(1 + count for count, _ in below)
        levels = 1 + max((level for _, level in below), default=0)
        if entries > MOST_ENTRIES or levels > MOST_LEVELS:
            raise ValueError("the tree is too big to be one")
        counted[digest] = entries, levels


def _check_links(root: Directory, folders: dict[Digest, Directory]) -> None:
    waiting: list[tuple[Directory, ...]] = [(root,)]
    while waiting:
        way = waiting.pop()
        for link in way[-1].symlinks:
            if not _leads_inside(way, link.target, folders):
                raise ValueError(f"the link `{link.name}` leads out of the tree, or nowhere")
        waiting += [(*way, folders[child.digest]) for child in way[-1].directories]


def _leads_inside(way: tuple[Directory, ...], target: str, folders: dict[Digest, Directory]) -> bool:
    if target.startswith("/"):
        return False
    here = list(way)
    steps = target.split("/")[::-1]
    followed = 0
    while steps:
        step = steps.pop()
        if step in ("", "."):
            continue
        if step == "..":
            here.pop()
            if not here:
                return False
            continue
        folder = here[-1]
        child = next((each for each in folder.directories if each.name == step), None)
        if child is not None:
            here.append(folders[child.digest])
            continue
        link = next((each for each in folder.symlinks if each.name == step), None)
        if link is None:
            return not any(steps) and any(file.name == step for file in folder.files)
        followed += 1
        if link.target.startswith("/") or followed > MOST_LINKS_FOLLOWED:
            return False
        steps += link.target.split("/")[::-1]
    return True
