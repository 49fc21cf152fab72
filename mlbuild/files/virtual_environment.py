"""A folder that editors take for a virtual environment: copies of an environment's trees, which are the user's own.

`python/` and `python-packages/` lie beside each other as they do in a sandbox. Bytecode is left out: it names the
sandbox's paths, and would hide what somebody changes in the copies.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path

from mlbuild.files.made_folder import check_ours, make_folder
from mlbuild.files.output_tree import FICLONE, Blobs
from mlbuild.reapi import decode_directory
from mlbuild.terms import Digest, Directory, TreeValue

MARK = "mlbuild.json"
"""The file that says the folder is ours, and what it holds."""

_PYTHON = """\
#!/bin/sh
top=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
exec "$top/python/lib/ld.so" --library-path "$top/python/lib" "$top/python/bin/python3" -s "$@"
"""
_SCRIPT = """\
#!/bin/sh
top=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
exec "$top/bin/python" "$top/python-packages/bin/{name}" "$@"
"""


def link(place: Path, label: str, version: str, python: TreeValue, packages: TreeValue | None, blobs: Blobs) -> bool:
    """Makes `place` show the environment; whether there was something to do. What was there before stays until it is whole.

    Raises UserError for a folder that somebody else has made, or a disk that refuses; BlobMissing.
    """
    mark = {
        "environment": label,
        "python": str(python.digest),
        "packages": "" if packages is None else str(packages.digest),
    }
    check_ours(place, _is_ours)
    if _mark(place) == mark:
        return False

    def write(new: Path) -> None:
        _write(new, place, version, python, packages, blobs)
        (new / MARK).write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")

    make_folder(place, _is_ours, write)
    return True


def _is_ours(place: Path) -> bool:
    return _mark(place) is not None


def _mark(place: Path) -> object:
    try:
        found: object = json.loads((place / MARK).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "environment" in found else None


def _write(new: Path, place: Path, version: str, python: TreeValue, packages: TreeValue | None, blobs: Blobs) -> None:
    _copy_tree(python.digest, new / "python", blobs)
    _copy_tree((packages or TreeValue(_nothing())).digest, new / "python-packages", blobs)
    site = new / "lib" / f"python{'.'.join(version.split('.')[:2])}" / "site-packages"
    site.parent.mkdir(parents=True)
    site.symlink_to("../../python-packages")
    (new / "pyvenv.cfg").write_text(
        f"home = {place}/python/bin\ninclude-system-site-packages = false\nversion = {version}\n", encoding="utf-8"
    )
    (new / ".gitignore").write_text("*\n", encoding="utf-8")
    scripts = new / "bin"
    scripts.mkdir()
    _script(scripts / "python", _PYTHON)
    (scripts / "python3").symlink_to("python")
    there = new / "python-packages" / "bin"
    for name in sorted(os.listdir(there)) if there.is_dir() else ():
        if not name.startswith("python"):
            _script(scripts / name, _SCRIPT.format(name=name))


def _script(place: Path, text: str) -> None:
    place.write_text(text, encoding="utf-8")
    place.chmod(0o755)


def _nothing() -> Digest:
    return Digest.of(b"")


def _copy_tree(root: Digest, place: Path, blobs: Blobs) -> None:
    waiting = [(place, root)]
    while waiting:
        folder, digest = waiting.pop()
        directory = decode_directory(blobs.get(digest)) if digest.size else Directory()
        folder.mkdir()
        for file in directory.files:
            _copy(file.digest, folder / file.name, 0o755 if file.is_executable else 0o644, blobs)
        for each in directory.symlinks:
            (folder / each.name).symlink_to(each.target)
        waiting += [(folder / each.name, each.digest) for each in directory.directories if each.name != "__pycache__"]


def _copy(digest: Digest, place: Path, mode: int, blobs: Blobs) -> None:
    # Never a hard link: an edit here would change the cache.
    with blobs.open(digest) as source, place.open("xb") as target:
        try:
            fcntl.ioctl(target.fileno(), FICLONE, source.fileno())
        except OSError:
            shutil.copyfileobj(source, target, 1 << 20)
        os.fchmod(target.fileno(), mode)
