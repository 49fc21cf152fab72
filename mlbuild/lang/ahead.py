"""Files compiled by other processors, from the last to the first, while this one goes from the first to the last.

A helper process gets the sources and puts what it compiles where `ProgramCache` looks: whoever comes first to a file does it,
and nobody waits for anybody. What it cannot compile is left for the one who can say why.
"""

from __future__ import annotations

import marshal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from subprocess import Popen
    from typing import Any

    File = tuple[str, str, bytes]
    """The entry's key, the file's path, its bytes."""

FEWEST = 48
"""Fewer files are compiled in the time that a process takes to start."""
_MOST = 4


def start(folder: str, files: Sequence[File], dialect: tuple[Any, ...], names: frozenset[str]) -> list[Popen[bytes]]:
    """Starts a helper for each further processor, each with files of its own. The caller ends and waits for them."""
    helpers = min(len(os.sched_getaffinity(0)) - 1, _MOST)
    if len(files) < FEWEST or helpers < 1:
        return []
    import subprocess
    import tempfile

    program = "import sys; sys.path[:] = sys.argv[1:]; from mlbuild.lang.ahead import work; work()"
    started = []
    for number in range(helpers):
        with tempfile.TemporaryFile() as told:
            part = files[len(files) - 1 - number :: -helpers]
            told.write(marshal.dumps((os.getpid(), folder, list(part), dialect, sorted(names))))
            told.seek(0)
            try:
                arguments = [sys.executable, "-I", "-S", "-c", program, *sys.path]
                nowhere = subprocess.DEVNULL
                started.append(
                    subprocess.Popen(arguments, stdin=told, stdout=nowhere, stderr=nowhere, start_new_session=True)
                )
            except OSError:
                break
    return started


def work() -> None:
    """The helper: compiles until it is done, or nobody is left who would need it."""
    from mlbuild.diagnostics import UserError
    from mlbuild.lang.cache import ProgramCache
    from mlbuild.lang.dialect import Dialect

    parent, folder, files, dialect, names = marshal.load(sys.stdin.buffer)
    cache, kind, given = ProgramCache(folder), Dialect(*dialect), frozenset(names)
    for key, path, source in files:
        if os.getppid() != parent:
            return
        try:
            cache.make(key, source, path, kind, given)
        except UserError:
            continue
