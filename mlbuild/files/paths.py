"""Paths that stay where they are: relative, with no part that leads up."""

from __future__ import annotations

from mlbuild.diagnostics import fail


def check_path(path: str) -> None:
    """Raises UserError for a path that could lead out of the folder that it is relative to. The empty one is the folder."""
    if path and any(part in ("", ".", "..") for part in path.split("/")):
        raise fail(
            "path-outside-workspace",
            f"`{path}` is not a path inside the workspace",
            hint="write it from the workspace's root, with single slashes and without `.` and `..`",
        )
    if "\0" in path:
        raise fail("path-outside-workspace", f"`{path}` is not a path: it holds a zero byte")


def check_name(name: str, folder: str) -> None:
    """Raises UserError for a name in a folder listing that is not UTF-8: no key could be written of it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise fail(
            "name-not-utf8",
            f"the folder `{folder or '.'}` holds a name that is not UTF-8: {name.encode(errors='surrogateescape')!r}",
            hint="rename the file",
        ) from None
