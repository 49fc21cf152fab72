"""What trees say of an environment, and how it is told."""

import json

import pytest

from mlbuild.environments import Contents, bill_of_materials, compare, contents, lines
from mlbuild.reapi import encode_directory
from mlbuild.store import MemoryStore
from mlbuild.terms import Directory, DirectoryNode, FileNode, TreeValue

HASH, OTHER = "0a" * 32, "0b" * 32


def tree(store: MemoryStore, files: dict[str, str]) -> TreeValue:
    """A tree of files by path."""
    here = {path: text for path, text in files.items() if "/" not in path}
    below: dict[str, dict[str, str]] = {}
    for path, text in files.items():
        name, slash, rest = path.partition("/")
        if slash:
            below.setdefault(name, {})[rest] = text
    directory = Directory(
        tuple(FileNode(name, store.put(text.encode())) for name, text in sorted(here.items())),
        tuple(DirectoryNode(name, tree(store, inside).digest) for name, inside in sorted(below.items())),
    )
    return TreeValue(store.put(encode_directory(directory)))


def environment(metadata: str, pin: str = "", record: str = "", python: str = "3.11.7") -> Contents:
    store = MemoryStore()
    packages = {"Some_Thing-1.0+cpu.dist-info/METADATA": metadata, "Some_Thing-1.0+cpu.dist-info/RECORD": record}
    return contents(
        "//envs:train",
        f"python {python}\nsome-thing 1.0+cpu\n",
        {"OMP_NUM_THREADS": "1"},
        tree(store, {"lib/libm.so.6": "m", "lib/python3.11/os.py": "", "bin/python3": ""}),
        tree(store, packages),
        tree(store, {"some-thing.txt": f"--find-links packages\n{pin}\n"}),
        store.get,
    )


ABOUT = "Metadata-Version: 2.4\nName: Some_Thing\nVersion: 1.0+cpu\n"


def bill_of_package(metadata: str, pin: str = "") -> dict[str, object]:
    found: dict[str, object] = json.loads(bill_of_materials(environment(metadata, pin)))["components"][0]
    return found


@pytest.mark.parametrize(
    ("headers", "licences"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: old\n", [{"expression": "MIT OR Apache-2.0"}]),
        ("License: BSD 3-Clause\n", [{"license": {"name": "BSD 3-Clause"}}]),
        (
            "License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\nClassifier: Topic :: Other\n",
            [{"license": {"name": "MIT License"}}],
        ),
        ("License: Copyright (c)\n        Permission is hereby granted\n", None),
        ("", None),
    ],
)
def test_the_licence_is_what_the_metadata_names(headers: str, licences: object) -> None:
    assert bill_of_package(ABOUT + headers).get("licenses") == licences


def test_a_package_has_a_purl_and_the_hash_of_its_wheel_where_the_lock_allows_one() -> None:
    found = bill_of_package(ABOUT, f"some-thing[fast]==1.0+cpu --hash=sha256:{HASH}")
    assert (found["purl"], found["hashes"]) == (
        "pkg:pypi/some-thing@1.0%2Bcpu",
        [{"alg": "SHA-256", "content": HASH}],
    )


def test_where_the_lock_allows_several_files_none_is_said_to_be_the_one() -> None:
    found = bill_of_package(ABOUT, f"some-thing==1.0+cpu --hash=sha256:{OTHER} --hash=sha256:{HASH}")
    assert "hashes" not in found
    properties = found["properties"]
    assert isinstance(properties, list)
    assert properties[:2] == [
        {"name": "mlbuild:locked-sha256", "value": HASH},
        {"name": "mlbuild:locked-sha256", "value": OTHER},
    ]


def test_a_library_has_the_hash_of_its_bytes() -> None:
    components = json.loads(bill_of_materials(environment(ABOUT)))["components"]
    assert components[-1] == {
        "type": "library",
        "bom-ref": "library:libm.so.6",
        "name": "libm.so.6",
        "hashes": [{"alg": "SHA-256", "content": "62c66a7a5dd70c3146618063c344e531e6d4b59e379808443ce962b3abd63c5a"}],
    }


def test_one_version_with_unlike_files_is_told() -> None:
    found = compare(environment(ABOUT, record="a"), environment(ABOUT, record="b", python="3.12.0"))
    assert list(lines(found)) == [
        "from `//envs:train` to `//envs:train`:",
        "  python 3.11.7 -> 3.12.0",
        "  package some-thing 1.0+cpu, with other files",
    ]


def test_the_bill_is_ascii_whatever_a_licence_is_called() -> None:
    bill = bill_of_materials(environment(ABOUT + "License: Lic\u00e9nce \u202e1\n"))
    assert bill.isascii()
    assert json.loads(bill)["components"][0]["licenses"] == [{"license": {"name": "Lic\u00e9nce \u202e1"}}]


def test_an_environment_is_the_same_as_itself() -> None:
    found = compare(environment(ABOUT), environment(ABOUT))
    assert list(lines(found)) == ["`//envs:train` and `//envs:train` are the same to the last byte"]
