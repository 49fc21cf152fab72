"""Results as messages: kept whole, and refused where they could lead out of the output folder."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbuild.reapi import (
    ActionResult,
    ExecutionMetadata,
    OutputDirectory,
    OutputFile,
    OutputSymlink,
    decode_action_result,
    decode_result,
    encode_action_result,
    encode_result,
)
from mlbuild.terms import Digest, FileValue, SpawnResult, TreeValue

A = Digest("a" * 64, 1)
B = Digest("b" * 64, 200)

RESULT = SpawnResult(
    exit_code=0,
    outputs=(("mlbuild-out/log", FileValue(A)), ("mlbuild-out/model", TreeValue(B)), ("run", FileValue(A, True))),
    stdout=A,
    stderr=B,
    runner="linux-sandbox",
    wall_seconds=12.25,
)


def test_a_result_is_kept_whole() -> None:
    assert decode_result(encode_result(RESULT)) == RESULT


def test_an_empty_result_is_empty_but_for_its_times() -> None:
    assert decode_result(b"") == SpawnResult(0)


@given(exit_code=st.integers(-(2**31), 2**31 - 1), nanoseconds=st.integers(0, 10**15))
def test_exit_codes_and_times_are_kept(exit_code: int, nanoseconds: int) -> None:
    seconds = nanoseconds / 10**9
    decoded = decode_result(encode_result(SpawnResult(exit_code, wall_seconds=seconds)))
    assert (decoded.exit_code, decoded.wall_seconds) == (exit_code, pytest.approx(seconds, abs=2e-9))


def test_a_failure_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="failure"):
        encode_result(SpawnResult(0, failure="timed out"))


def test_the_bytes_are_those_of_protoc(protoc: Mapping[str, Any]) -> None:
    def digest(value: Digest) -> Any:
        return protoc["Digest"](hash=value.hash, size_bytes=value.size)

    message = protoc["ActionResult"](
        output_files=[
            protoc["OutputFile"](path="mlbuild-out/log", digest=digest(A)),
            protoc["OutputFile"](path="run", digest=digest(A), is_executable=True),
        ],
        output_directories=[
            protoc["OutputDirectory"](path="mlbuild-out/model", tree_digest=digest(A), root_directory_digest=digest(B))
        ],
        stdout_digest=digest(A),
        stderr_digest=digest(B),
        execution_metadata=protoc["ExecutedActionMetadata"](
            worker="linux-sandbox",
            execution_start_timestamp=protoc["Timestamp"](),
            execution_completed_timestamp=protoc["Timestamp"](seconds=12, nanos=250_000_000),
        ),
    )
    encoded = encode_result(RESULT, {"mlbuild-out/model": A})
    assert encoded == message.SerializeToString(deterministic=True)


def test_every_field_of_the_message_has_the_bytes_of_protoc(protoc: Mapping[str, Any]) -> None:
    result = ActionResult(
        output_symlinks=(OutputSymlink("latest", "run-1"),),
        exit_code=-9,
        stdout_raw=b"out",
        stderr_raw=b"\xff",
        metadata=ExecutionMetadata("worker", 1_700_000_000_000_000_001, 1_700_000_001_000_000_000),
    )
    message = protoc["ActionResult"](
        exit_code=-9,
        stdout_raw=b"out",
        stderr_raw=b"\xff",
        output_symlinks=[protoc["OutputSymlink"](path="latest", target="run-1")],
        execution_metadata=protoc["ExecutedActionMetadata"](
            worker="worker",
            execution_start_timestamp=protoc["Timestamp"](seconds=1_700_000_000, nanos=1),
            execution_completed_timestamp=protoc["Timestamp"](seconds=1_700_000_001),
        ),
    )
    assert encode_action_result(result) == message.SerializeToString(deterministic=True)
    assert decode_action_result(encode_action_result(result)) == result


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../out", "a/../b", "a//b", "./a", "a/", "a\0b"])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not the path of an output"):
        decode_result(encode_action_result(ActionResult((OutputFile(path, A),))))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [("a", "a", "two outputs have one path"), ("a", "a/b/c", "lies within another")],
)
def test_outputs_in_each_others_way_are_refused(first: str, second: str, message: str) -> None:
    result = ActionResult((OutputFile(second, A),), (OutputDirectory(first, None, B),))
    with pytest.raises(ValueError, match=message):
        decode_result(encode_action_result(result))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (ActionResult(output_symlinks=(OutputSymlink("a", "b"),)), "is a link"),
        (ActionResult(output_directories=(OutputDirectory("a", A),)), "has no root digest"),
        (ActionResult(stdout_raw=b"hello"), "inline"),
    ],
)
def test_what_a_spawn_result_cannot_hold_is_refused(result: ActionResult, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode_result(encode_action_result(result))


@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_result_or_a_value_error(data: bytes) -> None:
    try:
        decode_result(data)
    except ValueError:
        return


@given(data=st.data())
def test_a_changed_byte_gives_a_result_or_a_value_error(data: st.DataObject) -> None:
    encoded = bytearray(encode_result(RESULT))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode_result(bytes(encoded))
    except ValueError:
        return
