"""Folders as messages: the bytes that protoc's classes give, and nothing hostile taken."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbuild.reapi import decode_directory, decode_tree, encode_directory, encode_tree
from mlbuild.reapi.directory import _file_node, _short_file_node
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, SymlinkNode

A = Digest("a" * 64, 1)
B = Digest("b" * 64, 200)

digests = st.builds(Digest, st.text("0123456789abcdef", min_size=64, max_size=64), st.integers(0, 2**63 - 1))
names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."}
)


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    every = draw(st.lists(names, unique=True, max_size=12))
    files: list[FileNode] = []
    folders: list[DirectoryNode] = []
    links: list[SymlinkNode] = []
    for name in sorted(every):
        match draw(st.integers(0, 2)):
            case 0:
                files.append(FileNode(name, draw(digests), draw(st.booleans())))
            case 1:
                folders.append(DirectoryNode(name, draw(digests)))
            case _:
                target = draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
                links.append(SymlinkNode(name, target))
    return Directory(tuple(files), tuple(folders), tuple(links))


def as_protoc(directory: Directory, protoc: Mapping[str, Any]) -> Any:
    def digest(value: Digest) -> Any:
        return protoc["Digest"](hash=value.hash, size_bytes=value.size)

    return protoc["Directory"](
        files=[
            protoc["FileNode"](name=each.name, digest=digest(each.digest), is_executable=each.is_executable)
            for each in directory.files
        ],
        directories=[
            protoc["DirectoryNode"](name=each.name, digest=digest(each.digest)) for each in directory.directories
        ],
        symlinks=[protoc["SymlinkNode"](name=each.name, target=each.target) for each in directory.symlinks],
    )


@given(directory=directories())
def test_the_bytes_are_those_of_protoc(protoc: Mapping[str, Any], directory: Directory) -> None:
    assert encode_directory(directory) == as_protoc(directory, protoc).SerializeToString(deterministic=True)


@given(directory=directories())
def test_what_was_encoded_is_decoded(directory: Directory) -> None:
    assert decode_directory(encode_directory(directory)) == directory


@given(root=directories(), children=st.lists(directories(), max_size=3))
def test_a_tree_is_its_root_and_the_folders_below(
    protoc: Mapping[str, Any], root: Directory, children: list[Directory]
) -> None:
    encoded = encode_tree(root, children)
    message = protoc["Tree"](root=as_protoc(root, protoc), children=[as_protoc(each, protoc) for each in children])
    assert encoded == message.SerializeToString(deterministic=True)
    assert decode_tree(encoded) == (root, tuple(children))


def test_a_known_folder_has_its_known_digest() -> None:
    directory = Directory((FileNode("train.py", Digest.of(b"one"), True),), (), (SymlinkNode("latest", "train.py"),))
    assert Digest.of(encode_directory(directory)) == Digest(
        "9bfc2ef57b2636ec665263c8df0966550de4f070488644693d6dd150412ec23f", 104
    )


def test_order_does_not_matter_to_the_bytes() -> None:
    sorted_ = Directory((FileNode("a", A), FileNode("b", B)))
    assert encode_directory(Directory((FileNode("b", B), FileNode("a", A)))) == encode_directory(sorted_)


def test_unknown_fields_are_passed_over(protoc: Mapping[str, Any]) -> None:
    message = as_protoc(Directory((FileNode("a", A),)), protoc)
    message.files[0].node_properties.unix_mode = 0o755
    message.node_properties.unix_mode = 7
    assert decode_directory(message.SerializeToString()) == Directory((FileNode("a", A),))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\0"])
def test_a_name_that_leads_elsewhere_is_refused(protoc: Mapping[str, Any], name: str) -> None:
    message = protoc["Directory"](
        files=[protoc["FileNode"](name=name, digest=protoc["Digest"](hash=A.hash, size_bytes=1))]
    )
    with pytest.raises(ValueError, match="is not the name of a file"):
        decode_directory(message.SerializeToString())
    with pytest.raises(ValueError, match="is not the name of a file"):
        encode_directory(Directory((FileNode(name, A),)))


def test_one_name_for_a_file_and_a_folder_is_refused(protoc: Mapping[str, Any]) -> None:
    directory = Directory((FileNode("a", A),), (DirectoryNode("a", B),))
    with pytest.raises(ValueError, match="holds `a` twice"):
        decode_directory(as_protoc(directory, protoc).SerializeToString())


@pytest.mark.parametrize("hash_", ["", "abc", "A" * 64, "../" + "a" * 61, "a" * 65])
def test_a_hash_that_is_none_is_refused(protoc: Mapping[str, Any], hash_: str) -> None:
    message = protoc["Directory"](
        files=[protoc["FileNode"](name="a", digest=protoc["Digest"](hash=hash_, size_bytes=1))]
    )
    with pytest.raises(ValueError, match="is not a SHA-256 hash"):
        decode_directory(message.SerializeToString())


def test_a_negative_size_is_refused(protoc: Mapping[str, Any]) -> None:
    message = protoc["Directory"](
        files=[protoc["FileNode"](name="a", digest=protoc["Digest"](hash=A.hash, size_bytes=-1))]
    )
    with pytest.raises(ValueError, match="size is negative"):
        decode_directory(message.SerializeToString())


def test_a_file_without_a_digest_is_refused(protoc: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="missing"):
        decode_directory(protoc["Directory"](files=[protoc["FileNode"](name="a")]).SerializeToString())


def test_a_single_field_that_is_there_twice_is_refused(protoc: Mapping[str, Any]) -> None:
    # Protobuf's readers take the last; one that took the first would see another folder under the same digest.
    node = as_protoc(Directory((FileNode("a", A),)), protoc).files[0].SerializeToString() + b"\x0a\x01b"
    with pytest.raises(ValueError, match="2 times"):
        decode_directory(b"\x0a" + bytes([len(node)]) + node)


@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_folder_or_a_value_error(data: bytes) -> None:
    try:
        decode_directory(data)
        decode_tree(data)
    except ValueError:
        return


@given(directory=directories(), data=st.data())
def test_a_changed_byte_gives_a_folder_or_a_value_error(directory: Directory, data: st.DataObject) -> None:
    encoded = bytearray(encode_directory(directory))
    if encoded:
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode_directory(bytes(encoded))
    except ValueError:
        return


@given(name=names, size=st.integers(0, 2**40), is_executable=st.booleans(), data=st.data())
def test_the_short_way_reads_what_the_long_way_reads(
    name: str, size: int, is_executable: bool, data: st.DataObject
) -> None:
    encoded = encode_directory(Directory((FileNode(name, Digest("a" * 64, size), is_executable),)))
    node = bytearray(encoded[2:] if encoded[1] < 0x80 else encoded[3:])
    for _ in range(data.draw(st.integers(0, 2))):
        node[data.draw(st.integers(0, len(node) - 1))] = data.draw(st.integers(0, 255))
    try:
        short = _short_file_node(bytes(node))
    except ValueError:
        short = None
    if short is not None:
        assert _file_node(bytes(node)) == short


def test_the_short_way_is_taken() -> None:
    for size in (1, 127, 128, 20_000_000):
        for is_executable in (False, True):
            node = FileNode("train.py", Digest("a" * 64, size), is_executable)
            assert _short_file_node(encode_directory(Directory((node,)))[2:]) == node
