"""`mlbuild` and `python -m mlbuild`."""

from __future__ import annotations

import contextlib
import os
import sys

from mlbuild.cli import main
from mlbuild.cli.ending import listen

__all__ = ["main", "run"]


def run() -> None:
    """The console script."""
    _open_streams()
    listen()
    try:
        code = main(sys.argv[1:], os.environ)
    except KeyboardInterrupt:  # a second one, while the first was being dealt with
        code = 8
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            # Whoever read us has gone, or the disk behind us is full: no second complaint when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            if not isinstance(error, BrokenPipeError):
                with contextlib.suppress(OSError):
                    os.write(2, f"error[environment]: the output could not be written: {error.strerror}\n".encode())
                code = code or 36
    sys.exit(code)


def _open_streams() -> None:
    """Descriptors 0 to 2 exist and can be written to in any locale; a closed one must not become a file of ours."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8")  # noqa: SIM115 (lives as long as the process)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    run()
