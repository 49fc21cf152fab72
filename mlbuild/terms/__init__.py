"""The glossary as code, in the order in which a build meets the words.

Comes in: nothing. Goes out: frozen values that every other room speaks in. Never: input, output, state.
"""

from mlbuild.terms.label import BadLabel, Label
from mlbuild.terms.target import Attribute, Provider, Rule, Target
from mlbuild.terms.depset import Depset
from mlbuild.terms.artifact import OUTPUT_ROOT, Artifact
from mlbuild.terms.action import (
    Action,
    Argument,
    ExpandedDirectory,
    ExpandTemplateAction,
    FetchAction,
    MapAction,
    Mount,
    Resources,
    SpawnAction,
    SymlinkAction,
    WriteAction,
    inputs_of,
    outputs_of,
)
from mlbuild.terms.digest import (
    EMPTY,
    Digest,
    Directory,
    DirectoryNode,
    FileNode,
    FileValue,
    SymlinkNode,
    SymlinkValue,
    TreeValue,
    Value,
)
from mlbuild.terms.graph import ActionGraph, ConfiguredTarget, RunCommand
from mlbuild.terms.spawn import WORKING_DIRECTORY, Spawn, SpawnResult

__all__ = [
    "EMPTY", "OUTPUT_ROOT", "WORKING_DIRECTORY", "Action", "ActionGraph", "Argument", "Artifact", "Attribute", "BadLabel", "ConfiguredTarget", "Depset", "Digest",
    "Directory", "DirectoryNode", "ExpandTemplateAction", "ExpandedDirectory", "FetchAction", "FileNode", "FileValue",
    "Label", "MapAction", "Mount", "Provider", "Resources", "Rule", "RunCommand", "Spawn", "SpawnAction", "SpawnResult",
    "SymlinkAction", "SymlinkNode", "SymlinkValue", "Target", "TreeValue", "Value", "WriteAction", "inputs_of",
    "outputs_of",
]  # fmt: skip
