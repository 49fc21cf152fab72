"""`mlbuild fmt`: what each file is, what it would be, and its replacement."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlbuild.diagnostics import Diagnostic, Location, UserError
from mlbuild.files.replace import replace_file
from mlbuild.lang.check import decode
from mlbuild.lang.formatting import Kind, format_text, kind_of
from mlbuild.records import record


@record
class Formatted:
    """A file before and after; if it cannot be read or is not Starlark, what is wrong, and no change."""

    path: str
    before: bytes
    after: bytes
    mistakes: tuple[Diagnostic, ...] = ()
    is_unreadable: bool = False

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


def formatted_files(paths: Iterable[str], kind: Kind | None) -> Iterator[Formatted]:
    """The files, in order; each is of the given kind, or of that which its name says."""
    for path in paths:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            yield Formatted(path, b"", b"", (_unusable(path, "read", error),), True)
        else:
            yield formatted_bytes(data, path, kind or kind_of(os.path.basename(path)))


def formatted_bytes(data: bytes, path: str, kind: Kind) -> Formatted:
    """The file of these bytes."""
    try:
        return Formatted(path, data, format_text(decode(data, path), kind, path).encode())
    except UserError as error:
        return Formatted(path, data, data, error.diagnostics)


def replace(file: Formatted) -> Diagnostic | None:
    """Puts the formatted file in place; or says why not."""
    try:
        replace_file(file.path, file.after)
    except OSError as error:
        return _unusable(file.path, "written", error)
    return None


def _unusable(path: str, what: str, error: OSError) -> Diagnostic:
    message = f"the file cannot be {what}: {(error.strerror or str(error)).lower()}"
    return Diagnostic(f"not-{what}", message, location=Location(path))
