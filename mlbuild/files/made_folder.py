"""A folder of the person's that mlbuild makes anew: whole or not at all, and never in place of what somebody else has made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from mlbuild.diagnostics import ExitCode, fail
from mlbuild.files.remove import remove_tree


def make_folder(place: Path, is_ours: Callable[[Path], bool], write: Callable[[Path], None]) -> None:
    """Makes `place` what `write` makes of an empty folder; what was there before stays until that is whole.

    Raises UserError for a folder that is neither empty nor ours, or a disk that refuses; and what `write` raises.
    """
    check_ours(place, is_ours)
    new, old = (place.with_name(f".{place.name}.{kind}-{os.getpid()}") for kind in ("new", "old"))
    try:
        for each in (new, old):
            if each.exists():
                remove_tree(each)
        new.mkdir()
        write(new)
        if place.exists():
            place.rename(old)
        new.rename(place)
        if old.exists():
            remove_tree(old)
    except OSError as error:
        raise fail(
            "cannot-write",
            f"`{error.filename or place}` cannot be written: {error.strerror}",
            hint="name a folder that can be made, on a disk with room",
            exit_code=ExitCode.ENVIRONMENT,
        ) from None
    finally:
        if new.exists():
            remove_tree(new)


def check_ours(place: Path, is_ours: Callable[[Path], bool]) -> None:
    """Raises UserError if somebody else has made what is there."""
    is_folder = place.is_dir() and not place.is_symlink()
    if not os.path.lexists(place) or (is_folder and (is_ours(place) or not any(place.iterdir()))):
        return
    raise fail(
        "not-our-environment",
        f"`{place.name}` is there already, and mlbuild has not made it",
        hint="move it away, or name another folder",
        exit_code=ExitCode.COMMAND_LINE,
    )
