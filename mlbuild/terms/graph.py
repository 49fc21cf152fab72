"""What analysis hands to execution: configured targets and the actions that make their files."""

from __future__ import annotations

from collections.abc import Mapping

from mlbuild.diagnostics import Location
from mlbuild.records import field, record
from mlbuild.terms.action import Action, Mount
from mlbuild.terms.artifact import Artifact
from mlbuild.terms.label import Label


@record
class RunCommand:
    """How `mlbuild run` starts a target: as a spawn would, but attached to the terminal."""

    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    inputs: tuple[Artifact, ...] = ()
    mounts: tuple[Mount, ...] = ()
    shell: tuple[str, ...] = ()
    """What `mlbuild shell` starts instead of `arguments`."""


@record
class ConfiguredTarget:
    """A target after analysis. `files` are its default outputs, `groups` its named output groups.

    `test_results` are the outputs of its test actions: built by `mlbuild test` only; an action among those that
    make them fails as a test, not as a build.
    """

    label: Label
    kind: str
    location: Location
    files: tuple[Artifact, ...] = ()
    groups: Mapping[str, tuple[Artifact, ...]] = field(default_factory=dict)
    test_results: tuple[Artifact, ...] = ()
    run: RunCommand | None = None


@record
class ActionGraph:
    """Every action of the asked targets' closure, in the order of analysis.

    `producers` gives for each derived artifact (members of directories apart) the index of its action.
    """

    targets: tuple[ConfiguredTarget, ...]
    actions: tuple[Action, ...]
    producers: Mapping[Artifact, int]
