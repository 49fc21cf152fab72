"""Wheels and packages that cannot be installed, or that want more than their folder: nothing outside is written, and the words say what to do."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlbuild.diagnostics import Diagnostic, UserError
from mlbuild.fetch import find_uv, index_settings
from mlbuild.fetch.interpreter import find_interpreter
from mlbuild.fetch.locking import LockRequest, Text, lock
from mlbuild.fetch.uv import Uv
from mlbuild.fetch.wheels import install_wheels

THIS = find_interpreter("", "", {})
OUTSIDE = {
    "up": "../outside.py",
    "down and up": "tiny/../../outside.py",
    "absolute": "{folder}/outside.py",
    "data": "tiny-1.0.data/data/../../../outside.py",
    "scripts": "tiny-1.0.data/scripts/../../../../outside.py",
}


def write_wheel(folder: Path, members: Mapping[str, str], *, tag: str = "py3-none-any", link: str = "") -> str:
    """A wheel of `tiny` 1.0 with whatever members it is told, and links; returns its SHA-256."""
    folder.mkdir()
    path = folder / f"tiny-1.0-{tag}.whl"
    information = "tiny-1.0.dist-info"
    every = {
        **members,
        f"{information}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{information}/WHEEL": f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    every[f"{information}/RECORD"] = "".join(f"{name},,\n" for name in [*every, f"{information}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        if link:
            entry = zipfile.ZipInfo("tiny")
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, link)
        for name, content in every.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def local_uv(tmp_path: Path) -> Uv:
    environ = {"PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_NO_INDEX": "1", "HOME": str(tmp_path)}
    return find_uv(index_settings(environ))


def install(tmp_path: Path, store: Any, sha256: str) -> Any:
    text = f"tiny==1.0 --hash=sha256:{sha256}\n".encode()
    folder = tempfile.mkdtemp(dir=tmp_path)
    return install_wheels(text, "envs/lock", THIS, local_uv(tmp_path), store, folder)


def refusal(tmp_path: Path, store: Any, sha256: str) -> Diagnostic:
    with pytest.raises(UserError) as caught:
        install(tmp_path, store, sha256)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


@pytest.mark.parametrize("where", OUTSIDE)
def test_what_a_wheel_has_for_outside_is_written_nowhere(tmp_path: Path, store: Any, where: str) -> None:
    name = OUTSIDE[where].format(folder=tmp_path)
    sha256 = write_wheel(tmp_path / "wheels", {name: "stolen = 1\n", "tiny.py": ""})
    assert sorted(store.listing(install(tmp_path, store, sha256))) == [
        "tiny-1.0.dist-info/METADATA",
        "tiny-1.0.dist-info/RECORD",
        "tiny-1.0.dist-info/WHEEL",
        "tiny.py",
    ]
    assert list(tmp_path.rglob("outside.py")) == []


def test_a_wheel_that_goes_through_its_own_link_is_refused(tmp_path: Path, store: Any) -> None:
    (tmp_path / "else").mkdir()
    sha256 = write_wheel(tmp_path / "wheels", {"tiny/stolen.py": "x"}, link=str(tmp_path / "else"))
    said = refusal(tmp_path, store, sha256)
    assert said.message == (
        "the wheels of `envs/lock` cannot be installed: `tiny-1.0-py3-none-any.whl` is no sound wheel"
    )
    assert said.hint == "choose another version of the package, and tell its publisher"
    assert list((tmp_path / "else").iterdir()) == []


@pytest.mark.parametrize("tag", ["cp311-cp311-win_amd64", "cp27-cp27m-manylinux1_x86_64"])
def test_a_package_without_a_wheel_for_this_machine_is_named(tmp_path: Path, store: Any, tag: str) -> None:
    said = refusal(tmp_path, store, write_wheel(tmp_path / "wheels", {"tiny.py": ""}, tag=tag))
    assert said.message == (
        "the wheels of `envs/lock` cannot be installed: `tiny==1.0` has no wheel for this machine and interpreter"
    )
    assert said.hint is not None and said.hint.startswith("choose a version that has one")


def write_sources(folder: Path) -> str:
    """A package whose build would have to ask an index for its build backend."""
    folder.mkdir()
    path = folder / "tiny-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {
            "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
            '[project]\nname = "tiny"\nversion = "1.0"\n',
            "PKG-INFO": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
            "setup.py": "import urllib.request\n",
        }.items():
            member = tarfile.TarInfo(f"tiny-1.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_package_of_sources_alone_is_not_built_but_named(tmp_path: Path, store: Any) -> None:
    said = refusal(tmp_path, store, write_sources(tmp_path / "wheels"))
    assert said.message == "the wheels of `envs/lock` cannot be installed: `tiny==1.0` has no wheel"
    assert said.hint is not None and said.hint.startswith("packages are never built from source")


def test_requirements_with_a_package_of_sources_alone_are_not_locked(tmp_path: Path) -> None:
    write_sources(tmp_path / "wheels")
    with pytest.raises(UserError) as caught:
        lock(LockRequest(Text("requirements.in", "tiny\n")), THIS, local_uv(tmp_path))
    (said,) = caught.value.diagnostics
    assert said.message == "`requirements.in` cannot be locked: `tiny==1.0` has no wheel"
    assert said.hint is not None and said.hint.startswith("packages are never built from source")
