"""Reads one member out of a wheel, zip or tar file. Never extracts: only the bytes of exactly this name are written.

member.py ARCHIVE NAME OUTPUT
"""

from __future__ import annotations

import difflib
import shutil
import stat
import sys
import tarfile
import zipfile
from typing import IO

LARGEST = 64 << 30


class Unusable(Exception):
    """Said to the person who wrote the target."""


def main(archive: str, name: str, output: str) -> int:
    try:
        if zipfile.is_zipfile(archive):
            from_zip(archive, name, output)
        elif tarfile.is_tarfile(archive):
            from_tar(archive, name, output)
        else:
            raise Unusable("it is neither a wheel (zip) nor a tar file")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, RuntimeError) as error:
        print(f"error: the archive is broken: {error}", file=sys.stderr)
        return 1
    except Unusable as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def from_zip(archive: str, name: str, output: str) -> None:
    with zipfile.ZipFile(archive) as opened:
        found = [each for each in opened.infolist() if each.filename == name]
        kind = stat.S_IFMT(found[0].external_attr >> 16) if found else 0
        check(name, [each.filename for each in opened.infolist()], len(found), kind in (0, stat.S_IFREG))
        with opened.open(found[0]) as source:
            write(source, output, found[0].file_size)


def from_tar(archive: str, name: str, output: str) -> None:
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
        found = [each for each in members if each.name == name]
        check(name, [each.name for each in members if each.isfile()], len(found), bool(found) and found[0].isreg())
        source = opened.extractfile(found[0])
        if source is None:
            raise Unusable(f"`{name}` is no ordinary file in the archive")
        with source:
            write(source, output, found[0].size)


def check(name: str, names: list[str], count: int, is_file: bool) -> None:
    if count == 0:
        raise Unusable(f"the archive has no `{name}`{near(name, names)}")
    if count > 1:
        raise Unusable(f"the archive has `{name}` {count} times: nobody can say which is meant")
    if not is_file or name.endswith("/"):
        raise Unusable(f"`{name}` is no ordinary file in the archive")


def near(name: str, names: list[str]) -> str:
    """The names that may have been meant: the same last part, then like ones."""
    last = name.rpartition("/")[2]
    same = [each for each in names if each.rpartition("/")[2] == last]
    close = list(dict.fromkeys([*same, *difflib.get_close_matches(name, names, n=5, cutoff=0.4)]))[:5]
    if close:
        return "; near to it are " + ", ".join(f"`{each}`" for each in close)
    return f"; it has {len(names)} members, such as " + ", ".join(f"`{each}`" for each in sorted(names)[:5])


def write(source: IO[bytes], output: str, size: int) -> None:
    if size > LARGEST:
        raise Unusable(f"the member has {size} bytes, more than the {LARGEST} that are read")
    with open(output, "wb") as target:  # noqa: PTH123
        shutil.copyfileobj(source, target, 1 << 20)
        if target.tell() != size:
            raise Unusable(f"the member has {target.tell()} bytes, though the archive says {size}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
