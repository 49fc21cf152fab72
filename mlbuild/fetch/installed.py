"""What an installer left in a folder, as it would be anywhere: nothing of this host, this moment or this installer."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re

from mlbuild.fetch.tree import HostFile, Made, Piece, walk_files

SHEBANG = b"#!/python/bin/python3\n"

_DROPPED = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json"})
_TRAMPOLINE = re.compile(rb"#!/bin/sh\n'''exec' [^\n]*\n' '''\n")
_MAX_SCRIPT = 1 << 20


class OddInstallation(ValueError):
    """The folder holds what no wheel can bring; the message says what."""


def installed_pieces(root: str) -> dict[str, Piece]:
    """The folder's files by path, normalised: scripts start the interpreter of the sandbox, each `RECORD` is sorted and says what is there.

    Raises:
        OddInstallation: if there is a link or an entry that is no file.
        OSError: if something cannot be read.
    """
    files, _ = walk_files(root, ("__pycache__", ".lock"))
    pieces: dict[str, Piece] = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        if path.endswith((".pyc", ".pyo")) or (folder.endswith(".dist-info") and name in _DROPPED):
            continue
        full = os.path.join(root, path)
        if os.path.islink(full) or not os.path.isfile(full):
            raise OddInstallation(f"`{path}` is no ordinary file")
        is_executable = bool(os.stat(full).st_mode & 0o100)
        pieces[path] = _script(full) if folder == "bin" else HostFile(full, is_executable)
    for path in [each for each in pieces if each.endswith(".dist-info/RECORD") and each.count("/") == 1]:
        pieces[path] = Made(_record(root, path, pieces))
    return pieces


def _script(path: str) -> Piece:
    with open(path, "rb") as file:  # noqa: PTH123
        if file.read(2) != b"#!" or os.fstat(file.fileno()).st_size > _MAX_SCRIPT:
            return HostFile(path, is_executable=True)
        file.seek(0)
        content = file.read()
    if trampoline := _TRAMPOLINE.match(content):
        return Made(SHEBANG + content[trampoline.end() :], is_executable=True)
    first, _, rest = content.partition(b"\n")
    if b"python" in first:
        return Made(SHEBANG + rest, is_executable=True)
    return HostFile(path, is_executable=True)


def _record(root: str, path: str, pieces: dict[str, Piece]) -> bytes:
    """Only what is still there, with the hashes of what was rewritten. Sorted."""
    with open(os.path.join(root, path), encoding="utf-8", newline="") as file:  # noqa: PTH123
        listed = [row for row in csv.reader(file) if row]
    rows = []
    for row in listed:
        name = os.path.normpath(row[0].replace("\\", "/")) if not row[0].startswith("/") else row[0]
        # With a target folder, scripts and data lie below it, while the record still counts from a prefix.
        name = re.sub(r"\A(\.\./)+", "", name)
        piece = pieces.get(name)
        if name == path:
            rows.append((name, "", ""))
        elif isinstance(piece, Made):
            digest = base64.urlsafe_b64encode(hashlib.sha256(piece.content).digest()).rstrip(b"=").decode()
            rows.append((name, f"sha256={digest}", str(len(piece.content))))
        elif piece is not None:
            rows.append((name, *(row[1:3] if len(row) >= 3 else ("", ""))))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(set(rows)))
    return text.getvalue().encode()
