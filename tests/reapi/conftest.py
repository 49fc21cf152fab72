"""The published messages as protoc's own classes, made from a description of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

PACKAGE = "build.bazel.remote.execution.v2"

# Field numbers and types of build/bazel/remote/execution/v2/remote_execution.proto; `*` marks a repeated field.
MESSAGES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "Digest": {"hash": (1, "string"), "size_bytes": (2, "int64")},
    "Timestamp": {"seconds": (1, "int64"), "nanos": (2, "int32")},
    "Duration": {"seconds": (1, "int64"), "nanos": (2, "int32")},
    "NodeProperties": {"unix_mode": (3, "int64")},
    "FileNode": {
        "name": (1, "string"), "digest": (2, "Digest"), "is_executable": (4, "bool"),
        "node_properties": (6, "NodeProperties"),
    },
    "DirectoryNode": {"name": (1, "string"), "digest": (2, "Digest")},
    "SymlinkNode": {"name": (1, "string"), "target": (2, "string"), "node_properties": (4, "NodeProperties")},
    "Directory": {
        "files": (1, "FileNode*"), "directories": (2, "DirectoryNode*"), "symlinks": (3, "SymlinkNode*"),
        "node_properties": (5, "NodeProperties"),
    },
    "Tree": {"root": (1, "Directory"), "children": (2, "Directory*")},
    "Property": {"name": (1, "string"), "value": (2, "string")},
    "Platform": {"properties": (1, "Property*")},
    "EnvironmentVariable": {"name": (1, "string"), "value": (2, "string")},
    "Command": {
        "arguments": (1, "string*"), "environment_variables": (2, "EnvironmentVariable*"),
        "output_files": (3, "string*"), "output_directories": (4, "string*"), "platform": (5, "Platform"),
        "working_directory": (6, "string"), "output_paths": (7, "string*"),
    },
    "Action": {
        "command_digest": (1, "Digest"), "input_root_digest": (2, "Digest"), "timeout": (6, "Duration"),
        "do_not_cache": (7, "bool"), "salt": (9, "bytes"), "platform": (10, "Platform"),
    },
    "OutputFile": {
        "path": (1, "string"), "digest": (2, "Digest"), "is_executable": (4, "bool"), "contents": (5, "bytes"),
    },
    "OutputDirectory": {
        "path": (1, "string"), "tree_digest": (3, "Digest"), "is_topologically_sorted": (4, "bool"),
        "root_directory_digest": (5, "Digest"),
    },
    "OutputSymlink": {"path": (1, "string"), "target": (2, "string")},
    "ExecutedActionMetadata": {
        "worker": (1, "string"), "queued_timestamp": (2, "Timestamp"),
        "execution_start_timestamp": (7, "Timestamp"), "execution_completed_timestamp": (8, "Timestamp"),
    },
    "ActionResult": {
        "output_files": (2, "OutputFile*"), "output_directories": (3, "OutputDirectory*"), "exit_code": (4, "int32"),
        "stdout_raw": (5, "bytes"), "stdout_digest": (6, "Digest"), "stderr_raw": (7, "bytes"),
        "stderr_digest": (8, "Digest"), "execution_metadata": (9, "ExecutedActionMetadata"),
        "output_file_symlinks": (10, "OutputSymlink*"), "output_directory_symlinks": (11, "OutputSymlink*"),
        "output_symlinks": (12, "OutputSymlink*"),
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def protoc() -> Mapping[str, Any]:
    """A class for each message, by its name."""
    descriptor_pb2 = pytest.importorskip("google.protobuf.descriptor_pb2")
    from google.protobuf import descriptor_pool, message_factory

    scalars = {"string": 9, "int64": 3, "int32": 5, "bool": 8, "bytes": 12}
    file = descriptor_pb2.FileDescriptorProto(name="remote_execution.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            base = kind.removesuffix("*")
            added = message.field.add(name=field, number=number, label=3 if kind.endswith("*") else 1)
            if base in scalars:
                added.type = scalars[base]
            else:
                added.type = 11
                added.type_name = f".{PACKAGE}.{base}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in MESSAGES}
