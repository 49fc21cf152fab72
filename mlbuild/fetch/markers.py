"""Which environment markers hold for an interpreter on this machine. Source: PEP 508."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mlbuild.fetch.interpreter import Interpreter

Holds = Callable[[str], bool]


def markers_of(interpreter: Interpreter, extras: Iterable[str] = (), groups: Iterable[str] = ()) -> Holds:
    """A function that says whether a marker holds; the empty marker always does. It raises ValueError for what is none."""
    from packaging.markers import (
        InvalidMarker,
        Marker,
        UndefinedComparison,
        UndefinedEnvironmentName,
        default_environment,
    )

    surroundings: dict[str, str | frozenset[str]] = {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": interpreter.short_version,
        "python_full_version": interpreter.version,
        "implementation_version": interpreter.version,
        "implementation_name": interpreter.implementation,
        "extras": frozenset(extras),
        "dependency_groups": frozenset(groups),
    }
    known: dict[str, bool] = {"": True}

    def holds(marker: str) -> bool:
        if marker not in known:
            try:
                known[marker] = Marker(marker).evaluate(surroundings, context="lock_file")
            except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName) as error:
                raise ValueError(f"`{marker}` is no environment marker") from error
        return known[marker]

    return holds
