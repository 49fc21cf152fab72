"""Lays the modules of libraries where packages lie: each file by its path below the folder that it is imported from.

lay_modules.py FOLDER IMPORTS FILE...    IMPORTS are folders with `:` between; `.` is the workspace
"""

from __future__ import annotations

import os
import shutil
import sys


def main(folder: str, imports: list[str], files: list[str]) -> int:
    # The nearest folder: a module of `lib/src/words.py` is `words`, not `lib.src.words`, where `lib/src` is imported from.
    roots = sorted((os.path.normpath(each) for each in imports), key=len, reverse=True)
    for path in files:
        root = next((each for each in roots if each == "." or path.startswith(f"{each}/")), None)
        # What actions have made lies below mlbuild-out as its source would lie without.
        inside = path.removeprefix("mlbuild-out/") if root in (None, ".") else os.path.relpath(path, root)
        target = os.path.join(folder, inside)
        if os.path.exists(target):
            print(f"error: two files of the libraries would lie at `{inside}`", file=sys.stderr)
            return 1
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        shutil.copyfile(path, target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2].split(":"), sys.argv[3:]))
