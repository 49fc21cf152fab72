"""Errors of macros that came with mlbuild, shown where the user's own files called them."""

from __future__ import annotations

from mlbuild.diagnostics import Diagnostic, Frame, Location, UserError
from mlbuild.loading.lines import SourceLines
from mlbuild.records import replace

_OUTSIDE = "external/"


def at_own_frame(diagnostic: Diagnostic, lines: SourceLines) -> Diagnostic:
    """The diagnostic at the innermost call in the workspace's own files; a note says which function found the fault."""
    place, frames = diagnostic.location, diagnostic.frames
    if place is None or not place.path.startswith(_OUTSIDE):
        return diagnostic
    own = tuple(frame for frame in frames if not frame.location.path.startswith(_OUTSIDE))
    if not own:
        return diagnostic
    location = own[-1].location
    return replace(
        diagnostic,
        location=location,
        source_line=lines.line(location),
        notes=(*diagnostic.notes, f"found by {_shown(frames[-1])}"),
        frames=own if len(own) > 1 else (),
    )


def at_own_frames(error: UserError, lines: SourceLines) -> UserError:
    """The error, each of its diagnostics at the user's own call."""
    moved = tuple(at_own_frame(each, lines) for each in error.diagnostics)
    return error if moved == error.diagnostics else UserError(*moved, exit_code=error.exit_code)


def away_from_rules(diagnostic: Diagnostic, target: Location) -> Diagnostic:
    """The diagnostic without a place if that is in a rule which came with mlbuild, and the target's own is not; a note has it."""
    place = diagnostic.location
    if place is None or not place.path.startswith(_OUTSIDE) or target.path.startswith(_OUTSIDE):
        return diagnostic
    found = diagnostic.frames[-1] if diagnostic.frames else None
    by = _shown(found) if found is not None else _address(place)
    return replace(diagnostic, location=None, source_line=None, frames=(), notes=(*diagnostic.notes, f"found by {by}"))


def _shown(frame: Frame) -> str:
    return f"`{frame.function}` ({_address(frame.location)})"


def _address(place: Location) -> str:
    repository, _, rest = place.path.removeprefix(_OUTSIDE).partition("/")
    return f"@{repository}//{rest}:{place.line}:{place.column}"
