from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlbuild.diagnostics import UserError, render
from mlbuild.fetch import find_uv, index_settings
from mlbuild.fetch.interpreter import find_interpreter
from mlbuild.fetch.locking import LockRequest, Text, lock
from mlbuild.fetch.settings import configuration_files
from mlbuild.fetch.wheels import install_wheels, wheels_key
from mlbuild.terms import Digest

MakeWheel = Callable[..., tuple[Path, str]]

THIS = find_interpreter("", "", {})


def work(tmp_path: Path) -> str:
    """A new empty folder."""
    return tempfile.mkdtemp(dir=tmp_path)


def local_uv(tmp_path: Path) -> Any:
    environ = {"PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_NO_INDEX": "1", "HOME": str(tmp_path)}
    return find_uv(index_settings(environ))


def test_wheels_are_installed_free_of_what_the_host_and_the_moment_add(
    tmp_path: Path, store: Any, make_wheel: MakeWheel
) -> None:
    _, sha256 = make_wheel(tmp_path / "wheels", "tiny", "1.0", {"tiny.py": "def main(): ...\n"}, "tiny = tiny:main")
    tree = install_wheels(
        f"tiny==1.0 --hash=sha256:{sha256}\n".encode(), "lock", THIS, local_uv(tmp_path), store, work(tmp_path)
    )
    listing = store.listing(tree)
    assert sorted(listing) == [
        "bin/tiny*",
        "tiny-1.0.dist-info/METADATA",
        "tiny-1.0.dist-info/RECORD",
        "tiny-1.0.dist-info/WHEEL",
        "tiny-1.0.dist-info/entry_points.txt",
        "tiny.py",
    ]
    assert listing["bin/tiny*"].startswith(b"#!/python/bin/python3\n")
    record = listing["tiny-1.0.dist-info/RECORD"].decode().splitlines()
    assert record == sorted(record)
    assert [row.split(",")[0] for row in record] == [path.removesuffix("*") for path in sorted(listing)]


def test_two_installations_give_the_same_tree(tmp_path: Path, store: Any, make_wheel: MakeWheel) -> None:
    _, sha256 = make_wheel(tmp_path / "wheels", "tiny", "1.0", {"tiny.py": ""}, "tiny = tiny:main")
    text = f"tiny==1.0 --hash=sha256:{sha256}\n".encode()
    trees = {
        install_wheels(text, path, THIS, local_uv(tmp_path), store, work(tmp_path))
        for path in ("lock", "other/lock.txt")
    }
    assert len(trees) == 1


def test_other_bytes_than_the_lock_pins_are_refused(tmp_path: Path, store: Any, make_wheel: MakeWheel) -> None:
    _, sha256 = make_wheel(tmp_path / "wheels", "tiny", "1.0", {"tiny.py": ""})
    with pytest.raises(UserError) as caught:
        install_wheels(
            f"tiny==1.0 --hash=sha256:{'0' * 64}\n".encode(),
            "envs/lock",
            THIS,
            local_uv(tmp_path),
            store,
            work(tmp_path),
        )
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "wheel-hash-mismatch"
    assert f"expected `sha256:{'0' * 64}`, got `sha256:{sha256}`" in render(diagnostic)
    assert "`tiny==1.0` is not what `envs/lock` pins" in render(diagnostic)


def test_a_package_that_no_index_has_is_one_clear_message(tmp_path: Path, store: Any) -> None:
    (tmp_path / "wheels").mkdir()
    with pytest.raises(UserError) as caught:
        install_wheels(
            f"gone==1.0 --hash=sha256:{'0' * 64}\n".encode(),
            "envs/lock",
            THIS,
            local_uv(tmp_path),
            store,
            work(tmp_path),
        )
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "wheels-not-installed"
    assert any("gone" in note for note in diagnostic.notes)
    assert not any(str(tmp_path) in note for note in diagnostic.notes)


def test_an_empty_lock_is_an_empty_folder(tmp_path: Path, store: Any) -> None:
    tree = install_wheels(b"# nothing\n", "lock", THIS, local_uv(tmp_path), store, work(tmp_path))
    assert store.listing(tree) == {}


def test_a_lock_that_is_no_text_is_refused(tmp_path: Path, store: Any) -> None:
    with pytest.raises(UserError, match="`lock` is no UTF-8 text"):
        install_wheels(b"\xff\xfe", "lock", THIS, local_uv(tmp_path), store, work(tmp_path))


def test_the_key_changes_with_the_lock_and_with_who_installs() -> None:
    keys = {wheels_key(Digest.of(lock), THIS, uv) for lock, uv in ((b"a", "1"), (b"b", "1"), (b"a", "2"))}
    assert len(keys) == 3


def test_a_small_package_is_locked_and_installed_from_the_index(tmp_path: Path, store: Any) -> None:
    """Through the package index that this machine's user has configured."""
    uv_files, pip_files = (
        [(path, Path(path).read_text()) for path in paths if Path(path).exists()]
        for paths in configuration_files(os.environ)
    )
    uv = find_uv(index_settings(os.environ, uv_files, pip_files))
    text = lock(LockRequest(Text("requirements.in", "iniconfig==2.0.0\n")), THIS, uv)
    assert "iniconfig==2.0.0" in text
    listing = store.listing(install_wheels(text.encode(), "lock", THIS, uv, store, work(tmp_path)))
    assert "iniconfig/__init__.py" in listing
    assert not [path for path in listing if path.endswith((".pyc", "INSTALLER", "REQUESTED", "direct_url.json"))]
