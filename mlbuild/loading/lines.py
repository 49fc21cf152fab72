"""The lines of source files, for errors."""

from __future__ import annotations

from mlbuild.diagnostics import Diagnostic, Location, UserError
from mlbuild.records import replace
from mlbuild.seams import SourceTree


class SourceLines:
    """Reads a file again when one of its lines is to be shown."""

    def __init__(self, sources: SourceTree) -> None:
        self._sources = sources

    def line(self, location: Location | None) -> str | None:
        """The line, or nothing when it cannot be read."""
        if location is None or not location.line:
            return None
        try:
            lines = self._sources.read(location.path).decode("utf-8", "replace").splitlines()
        except OSError:
            return None
        return lines[location.line - 1] if location.line <= len(lines) else None

    def placed(self, error: UserError, location: Location | None) -> UserError:
        """The error, at a place unless it has one already, with the line that stands there."""
        return UserError(
            *(self._placed(each, location) for each in error.diagnostics),
            exit_code=error.exit_code,
        )

    def _placed(self, diagnostic: Diagnostic, location: Location | None) -> Diagnostic:
        place = diagnostic.location or location
        if place is None or diagnostic.source_line is not None:
            return diagnostic
        return replace(diagnostic, location=place, source_line=self.line(place))
