"""Errors of macros that came with mlbuild, shown where the user's own files called them."""

from __future__ import annotations

from mlbuild.diagnostics import Diagnostic, Frame, UserError
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


def _shown(frame: Frame) -> str:
    repository, _, rest = frame.location.path.removeprefix(_OUTSIDE).partition("/")
    return f"`{frame.function}` (@{repository}//{rest}:{frame.location.line}:{frame.location.column})"
