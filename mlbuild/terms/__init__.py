"""The glossary as code, in the order in which a build meets the words.

Comes in: nothing. Goes out: frozen values that every other room speaks in. Never: input, output, state.
"""

from mlbuild.terms.label import BadLabel, Label
from mlbuild.terms.provider import (
    BUILT_IN_PROVIDERS,
    DEFAULT_INFO,
    OUTPUT_GROUP_INFO,
    PARTS_INFO,
    RUN_INFO,
    TEST_INFO,
    TOOLCHAIN_INFO,
    Info,
    Provider,
)
from mlbuild.terms.select import DEFAULT_CONDITION, Select, Selector
from mlbuild.terms.target import Attribute, Entry, OutputFile, PartOfTarget, Rule, SourceFile, Target
from mlbuild.terms.depset import Depset
from mlbuild.terms.artifact import OUTPUT_ROOT, Artifact
from mlbuild.terms.action import (
    Action,
    Argument,
    ExpandedDirectory,
    ExpandTemplateAction,
    FetchAction,
    MapAction,
    MergeAction,
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
from mlbuild.terms.surroundings import ORDINARY, Surroundings

__all__ = [
    "BUILT_IN_PROVIDERS",
    "DEFAULT_CONDITION",
    "DEFAULT_INFO",
    "EMPTY",
    "ORDINARY",
    "OUTPUT_GROUP_INFO",
    "OUTPUT_ROOT",
    "PARTS_INFO",
    "RUN_INFO",
    "TEST_INFO",
    "TOOLCHAIN_INFO",
    "WORKING_DIRECTORY",
    "Action",
    "ActionGraph",
    "Argument",
    "Artifact",
    "Attribute",
    "BadLabel",
    "ConfiguredTarget",
    "Depset",
    "Digest",
    "Directory",
    "DirectoryNode",
    "Entry",
    "ExpandTemplateAction",
    "ExpandedDirectory",
    "FetchAction",
    "FileNode",
    "FileValue",
    "Info",
    "Label",
    "MapAction",
    "MergeAction",
    "Mount",
    "OutputFile",
    "PartOfTarget",
    "Provider",
    "Resources",
    "Rule",
    "RunCommand",
    "Select",
    "Selector",
    "SourceFile",
    "Spawn",
    "SpawnAction",
    "SpawnResult",
    "Surroundings",
    "SymlinkAction",
    "SymlinkNode",
    "SymlinkValue",
    "Target",
    "TreeValue",
    "Value",
    "WriteAction",
    "inputs_of",
    "outputs_of",
]  # fmt: skip
