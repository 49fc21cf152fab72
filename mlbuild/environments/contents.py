"""What an environment's trees hold: packages by their own metadata, the interpreter's libraries, variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from email.parser import HeaderParser

from mlbuild.reapi import decode_directory
from mlbuild.records import record
from mlbuild.terms import Digest, Directory, TreeValue

Read = Callable[[Digest], bytes]

_LONGEST_LICENCE = 100
_SHARED_OBJECT = re.compile(r".+\.so(\.[\w.]+)?\Z")
_PIN = re.compile(r"(\S+?)(?:\[[^\]]*\])?\s*===?\s*(\S+)\s")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")


@record
class Package:
    """An installed package. `record` names the list of its files with their hashes."""

    name: str
    version: str
    record: Digest | None = None
    licence_expression: str = ""
    licence_names: tuple[str, ...] = ()
    pinned: tuple[str, ...] = ()
    """The SHA-256 of each file that the lock lets it be installed from."""


@record
class Contents:
    """An environment, taken apart. `packages` are by normal name; `libraries` are those of the interpreter's tree."""

    label: str
    python: str
    packages: Mapping[str, Package]
    libraries: Mapping[str, Digest]
    variables: Mapping[str, str]
    interpreter_tree: Digest
    packages_tree: Digest | None


def contents(
    label: str,
    listing: str,
    variables: Mapping[str, str],
    interpreter: TreeValue,
    packages: TreeValue | None,
    pins: TreeValue | None,
    read: Read,
) -> Contents:
    """Reads what the environment `label` consists of.

    Args:
        label: what the person calls it.
        listing: its list of packages, which begins with `python VERSION`.
        variables: what is set in it.
        interpreter: the tree that has `lib/`.
        packages: the tree of installed packages.
        pins: the tree of its lock, taken apart: a file for each package.
        read: gives the blobs of trees, checked.
    """
    allowed = {} if pins is None else _allowed(pins, read)
    found = () if packages is None else tuple(_installed(packages, allowed, read))
    return Contents(
        label,
        listing.partition("\n")[0].removeprefix("python "),
        {normal_name(each.name): each for each in sorted(found, key=lambda each: normal_name(each.name))},
        dict(_libraries(interpreter, read)),
        dict(sorted(variables.items())),
        interpreter.digest,
        None if packages is None else packages.digest,
    )


def normal_name(name: str) -> str:
    """PEP 503's spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def folder(digest: Digest, read: Read) -> Directory:
    """One level of a tree."""
    return decode_directory(read(digest)) if digest.size else Directory()


def _installed(
    packages: TreeValue, allowed: Mapping[tuple[str, str], tuple[str, ...]], read: Read
) -> Iterator[Package]:
    for child in folder(packages.digest, read).directories:
        if not child.name.endswith(".dist-info"):
            continue
        files = {file.name: file.digest for file in folder(child.digest, read).files}
        stem_name, _, stem_version = child.name.removesuffix(".dist-info").rpartition("-")
        about = _headers(read(files["METADATA"])) if "METADATA" in files else Message()
        name, version = str(about["Name"] or stem_name), str(about["Version"] or stem_version)
        expression, names = _licence(about)
        pinned = allowed.get((normal_name(name), version), ())
        yield Package(name, version, files.get("RECORD"), expression, names, pinned)


def _headers(metadata: bytes) -> Message:
    return HeaderParser().parsestr(metadata.decode("utf-8", "replace"))


def _licence(about: Message) -> tuple[str, tuple[str, ...]]:
    """(SPDX expression, names): the first of what PEP 639, the old header, and the classifiers say."""
    if expression := str(about["License-Expression"] or "").strip():
        return expression, ()
    # Some packages write the whole text of their licence into the header: that is no name.
    said = str(about["License"] or "").strip()
    if said and said.upper() != "UNKNOWN" and "\n" not in said and len(said) <= _LONGEST_LICENCE:
        return "", (said,)
    classifiers = (str(each) for each in about.get_all("Classifier", ()))
    parts = (each.split(" :: ") for each in classifiers if each.startswith("License :: "))
    return "", tuple(sorted({each[-1].strip() for each in parts}))


def _allowed(pins: TreeValue, read: Read) -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for file in folder(pins.digest, read).files:
        for line in read(file.digest).decode("utf-8", "replace").splitlines():
            if (pin := _PIN.match(line)) is not None and not line.startswith("-"):
                found[normal_name(pin[1]), pin[2]] = tuple(sorted(set(_HASH.findall(line))))
    return found


def _libraries(interpreter: TreeValue, read: Read) -> Iterator[tuple[str, Digest]]:
    for child in folder(interpreter.digest, read).directories:
        if child.name == "lib":
            files = folder(child.digest, read).files
            yield from ((file.name, file.digest) for file in files if _SHARED_OBJECT.match(file.name))
