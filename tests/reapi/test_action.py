"""Keys: the bytes that protoc's classes give, and what they depend on."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbuild.reapi import action_bytes, action_key, command_bytes
from mlbuild.records import replace
from mlbuild.terms import Digest, Resources, Spawn

ROOT = Digest("c" * 64, 99)
texts = st.text(st.characters(codec="utf-8"), max_size=10)
pairs = st.lists(st.tuples(texts, texts), max_size=4, unique_by=lambda pair: pair[0]).map(tuple)


@st.composite
def spawns(draw: st.DrawFn) -> Spawn:
    paths = draw(st.lists(texts.filter(bool), unique=True, max_size=5))
    return Spawn(
        arguments=tuple(draw(st.lists(texts, max_size=5))),
        environment=draw(pairs),
        input_root=ROOT,
        output_paths=tuple(paths),
        output_directories=tuple(path for path in paths if draw(st.booleans())),
        platform=draw(pairs),
        timeout_seconds=draw(st.integers(0, 10**9)),
        salt=draw(st.binary(max_size=5)),
    )


def command(spawn: Spawn, protoc: Mapping[str, Any]) -> Any:
    message = protoc["Command"](
        arguments=spawn.arguments,
        environment_variables=[
            protoc["EnvironmentVariable"](name=name, value=value) for name, value in sorted(spawn.environment)
        ],
        output_files=sorted(set(spawn.output_paths) - set(spawn.output_directories)),
        output_directories=sorted(spawn.output_directories),
        working_directory="work",
        output_paths=sorted(spawn.output_paths),
    )
    if spawn.platform:
        message.platform.CopyFrom(platform(spawn, protoc))
    return message


def platform(spawn: Spawn, protoc: Mapping[str, Any]) -> Any:
    return protoc["Platform"](
        properties=[protoc["Property"](name=name, value=value) for name, value in sorted(spawn.platform)]
    )


@given(spawn=spawns())
def test_a_command_has_the_bytes_of_protoc(protoc: Mapping[str, Any], spawn: Spawn) -> None:
    assert command_bytes(spawn) == command(spawn, protoc).SerializeToString(deterministic=True)


@given(spawn=spawns())
def test_an_action_has_the_bytes_of_protoc(protoc: Mapping[str, Any], spawn: Spawn) -> None:
    digest = Digest.of(command_bytes(spawn))
    message = protoc["Action"](
        command_digest=protoc["Digest"](hash=digest.hash, size_bytes=digest.size),
        input_root_digest=protoc["Digest"](hash=ROOT.hash, size_bytes=ROOT.size),
        salt=spawn.salt,
    )
    if spawn.timeout_seconds:
        message.timeout.seconds = spawn.timeout_seconds
    if spawn.platform:
        message.platform.CopyFrom(platform(spawn, protoc))
    assert action_bytes(spawn, digest) == message.SerializeToString(deterministic=True)


SPAWN = Spawn(
    arguments=("../python/bin/python3", "train.py"),
    environment=(("LANG", "C.UTF-8"), ("TZ", "UTC")),
    input_root=ROOT,
    output_paths=("mlbuild-out/models/ranker",),
    platform=(("ISA", "x86-avx2"),),
)


@pytest.mark.parametrize(
    "other",
    [
        replace(SPAWN, arguments=("../python/bin/python3", "train.py", "")),
        replace(SPAWN, environment=(("LANG", "C.UTF-8"), ("TZ", "CET"))),
        replace(SPAWN, input_root=Digest("d" * 64, 99)),
        replace(SPAWN, output_paths=("mlbuild-out/models/other",)),
        replace(SPAWN, output_directories=("mlbuild-out/models/ranker",)),
        replace(SPAWN, platform=()),
        replace(SPAWN, timeout_seconds=1),
        replace(SPAWN, salt=b"again"),
    ],
)
def test_all_that_decides_an_output_is_in_the_key(other: Spawn) -> None:
    assert action_key(other) != action_key(SPAWN)


@pytest.mark.parametrize(
    "same",
    [
        replace(SPAWN, resources=Resources(cpus=8)),
        replace(SPAWN, description="training"),
        replace(SPAWN, environment=(("TZ", "UTC"), ("LANG", "C.UTF-8"))),
    ],
)
def test_what_decides_no_output_is_not_in_the_key(same: Spawn) -> None:
    assert action_key(same) == action_key(SPAWN)


def test_the_key_never_changes() -> None:
    # A changed key means that every cache in the world is empty: change this line only with a good reason.
    assert str(action_key(SPAWN)) == "6c235e09f9bd0f98e2bceb3f1f0994f6223738b3f229b93fd1e51a92ee85878e/165"


def test_text_that_is_no_utf_8_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        command_bytes(replace(SPAWN, arguments=("\udcff",)))
