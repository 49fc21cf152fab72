"""How files differ, in the terms of their format; and that no bytes whatever are too odd to be compared."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbuild.differs import how_they_differ


def npy(array: object, **how: bool) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array), **how)
    return file.getvalue()


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{name: np.asarray(array) for name, array in arrays.items()})
    return file.getvalue()


def safetensors(**arrays: tuple[str, list[int], bytes]) -> bytes:
    head: dict[str, object] = {"__metadata__": {"format": "np"}}
    data = b""
    for name, (kind, shape, content) in arrays.items():
        head[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data


def zipped(time: tuple[int, int, int, int, int, int] = (1980, 1, 1, 0, 0, 0), **members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, time), text)
    return file.getvalue()


def tarred(owner: int = 0, **members: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, text in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.uid = len(text), owner
            archive.addfile(member, io.BytesIO(text.encode()))
    return file.getvalue()


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        (
            npy([[1.0, 2.0], [3.0, 4.0]]),
            npy([[1.0, 2.0], [3.0, np.nextafter(4.0, 5.0)]]),
            ("1 of 4 elements differs, by at most 8.88178e-16, 1 ULP", "first at [1, 1]: 4.0 / 4.000000000000001"),
        ),
        (
            npy(np.float32([1, -1, 0])),
            npy(np.float32([1, -1.5, -1e-45])),
            ("2 of 3 elements differ, by at most 0.5, 4,194,304 ULP", "first at [1]: -1.0 / -1.5"),
        ),
        (npy([1, 2, 3]), npy([1, 5, 4]), ("2 of 3 elements differ, by at most 3", "first at [1]: 2 / 5")),
        (npy([1, 2]), npy([1, 2, 3]), ("i8[2] / i8[3]",)),
        (
            npy(np.asfortranarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])),
            npy(np.asfortranarray([[1.0, 2.0, 3.0], [9.0, 5.0, 6.0]])),
            ("1 of 6 elements differs, by at most 5, 5,066,549,580,791,808 ULP", "first at [1, 0]: 4.0 / 9.0"),
        ),
        (
            npy([0.0, np.nan]),
            npy([0.0, 1.0]),
            ("1 of 2 elements differs, by at most nan", "first at [1]: nan / 1.0"),
        ),
    ],
)  # fmt: skip
def test_of_arrays_the_elements_are_told(one: bytes, other: bytes, how: tuple[str, ...]) -> None:
    assert how_they_differ("a.npy", one, other) == how


def test_of_tensors_the_name_is_told_in_the_order_of_the_file() -> None:
    one = safetensors(bias=("F32", [1], struct.pack("<f", 1)), weight=("BF16", [2], b"\x80\x3f\x80\x3f"))
    other = safetensors(bias=("F32", [1], struct.pack("<f", 1)), weight=("BF16", [2], b"\x80\x3f\x81\x3f"))
    assert how_they_differ("model.safetensors", one, other) == (
        "tensor `weight`: 1 of 2 elements differs, by at most 0.0078125, 1 ULP",
        "first at [1]: 1.0 / 1.0078125",
        "1 of 2 tensors differs",
    )


def test_of_arrays_in_an_archive_the_member_is_told() -> None:
    assert how_they_differ("m.npz", npz(coef=[1.0, 2.0], bias=[0.5]), npz(coef=[1.0, 2.5], bias=[0.5])) == (
        "member `coef.npy`: 1 of 2 elements differs, by at most 0.5, 1,125,899,906,842,624 ULP",
        "first at [1]: 2.0 / 2.5",
        "1 of 2 members differs",
    )


@pytest.mark.parametrize(
    ("path", "one", "other", "how"),
    [
        ("a.zip", zipped(a="1", b="2"), zipped(a="1", b="3"), ("member `b`: line 1: `2` / `3`", "1 of 2 members differs")),
        (
            "a.zip", zipped(a="1"), zipped((2026, 11, 23, 10, 0, 2), a="1"),
            ("member `a`: time `1980-01-01 00:00:00` / `2026-11-23 10:00:02`",),
        ),
        ("a.zip", zipped(a="1", b="2"), zipped(b="2", a="1"), ("the same members, in another order",)),
        ("a.tar", tarred(a="1"), tarred(7, a="1"), ("member `a`: owner `0:0` / `7:0`",)),
        ("a.tar", tarred(a="1"), tarred(a="1", b="2"), ("member `b`: it is there in the second only", "1 of 2 members differs")),
        (
            "a.gz", gzip.compress(b"x", mtime=1), gzip.compress(b"x", mtime=2),
            ("the same content, packed at another time: 1 / 2 (seconds since 1970)",),
        ),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=1), gzip.compress(b"a,b\n1,3\n", mtime=1), ("unpacked:", "line 2, column `b`: `2` / `3`")),
        ("a.csv", b"a,b\n1,2\n", b"a,b\n1,3\n", ("line 2, column `b`: `2` / `3`",)),
        ("a.json", b'{"a": {"b": 1}}', b'{"a": {"b": 2}}', ("`a.b`: `1` / `2`",)),
        (
            "a.pkl", pickle.dumps({"depth": 3}, 4), pickle.dumps({"depth": 4}, 4),
            ("instruction at byte 21, after `depth`: `BININT1 3` / `BININT1 4`",),
        ),
    ],
)  # fmt: skip
def test_of_other_formats_the_part_is_told(path: str, one: bytes, other: bytes, how: tuple[str, ...]) -> None:
    assert how_they_differ(path, one, other) == how


class Loaded:
    """Would say so, if anybody loaded it."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('loaded')",)


def test_pickles_are_never_loaded() -> None:
    evil = pickle.dumps(Loaded(), 4)
    (told,) = how_they_differ("a.pkl", evil, pickle.dumps({"depth": 4}, 4))
    assert told.startswith("instruction at byte")


@given(
    st.sampled_from(
        [
            ("a.npy", npy([[1.0, 2.0]])), ("a.npz", npz(a=[1])), ("a.safetensors", safetensors(w=("F32", [1], b"abcd"))),
            ("a.zip", zipped(a="1")), ("a.tar", tarred(a="1")), ("a.gz", gzip.compress(b"x")), ("a.pkl", pickle.dumps([1], 4)),
            ("a.json", b'{"a": [1]}'), ("a.csv", b"a,b\n1,2\n"),
        ]
    ),
    st.integers(0, 400),
    st.binary(max_size=12),
)  # fmt: skip
def test_whatever_the_bytes_something_is_told(file: tuple[str, bytes], at: int, new: bytes) -> None:
    path, data = file
    at %= len(data)
    damaged = data[:at] + new + data[at + len(new) :]
    for one, other in ((data, damaged), (damaged, data), (data, damaged + b"x"), (damaged, data[:at])):
        if one != other:
            assert how_they_differ(path, one, other)
