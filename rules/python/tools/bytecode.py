"""Copies a tree of Python files and adds the bytecode of each, the same bytes on every run and machine.

    bytecode.py SOURCE TARGET MOUNT PROCESSES

MOUNT is the path that the tree will be seen at: tracebacks name it. What cannot be compiled (templates, files of other
Python versions) stays without bytecode, as with every installer.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import shutil
import sys
import warnings

UNCHECKED_HASH = 0b01
# Version 2 has no references, whose places depend on what else the process has done. A newer Python has constants that
# it cannot hold; only files with such fall back to the newest.
MARSHAL_VERSION = 2


def main(source: str, target: str, mount: str, processes: int) -> int:
    files, links = tree(source)
    os.makedirs(target, exist_ok=True)
    for folder in sorted({os.path.dirname(path) for path in (*files, *links)}):
        os.makedirs(os.path.join(target, folder), exist_ok=True)
    for path, goal in sorted(links.items()):
        os.symlink(goal, os.path.join(target, path))
    processes = max(1, min(processes, len(files)))
    children = [spawn(source, target, mount, files[number::processes]) for number in range(processes)]
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0 for child in children)


def tree(root: str) -> tuple[list[str], dict[str, str]]:
    """Files by relative path, sorted, and the links that stay inside the tree; other links count as what they lead to."""
    files: list[str] = []
    links: dict[str, str] = {}
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        with os.scandir(os.path.join(root, folder)) as entries:
            for entry in entries:
                path = os.path.join(folder, entry.name)
                if entry.is_symlink():
                    goal = os.readlink(entry.path)
                    inside = os.path.normpath(os.path.join(folder, goal))
                    if not os.path.isabs(goal) and inside != ".." and not inside.startswith("../"):
                        links[path] = goal
                        continue
                if entry.is_dir():
                    waiting.append(path)
                else:
                    files.append(path)
    return sorted(files), links


def spawn(source: str, target: str, mount: str, files: list[str]) -> int:
    """A child process that does its share. Not multiprocessing: that needs shared memory, which a sandbox may lack."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        warnings.simplefilter("ignore")
        for path in files:
            copied = os.path.join(target, path)
            shutil.copyfile(os.path.join(source, path), copied)
            os.chmod(copied, 0o755 if os.stat(os.path.join(source, path)).st_mode & 0o100 else 0o644)
            if path.endswith(".py") and (code := bytecode(copied, f"{mount}/{path}")) is not None:
                folder, name = os.path.split(copied)
                os.makedirs(os.path.join(folder, "__pycache__"), exist_ok=True)
                tagged = f"{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
                with open(os.path.join(folder, "__pycache__", tagged), "wb") as file:  # noqa: PTH123
                    file.write(code)
        status = 0
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(status)


def bytecode(path: str, name: str) -> bytes | None:
    """The content of the `.pyc` file, or nothing when the source does not compile."""
    with open(path, "rb") as file:  # noqa: PTH123
        source = file.read()
    try:
        code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    try:
        body = marshal.dumps(code, MARSHAL_VERSION)
    except ValueError:
        body = marshal.dumps(code)
    header = importlib.util.MAGIC_NUMBER + UNCHECKED_HASH.to_bytes(4, "little")
    return header + importlib.util.source_hash(source) + body


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2].rstrip("/"), sys.argv[3], int(sys.argv[4])))
