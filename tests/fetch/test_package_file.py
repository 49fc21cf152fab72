from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlbuild.diagnostics import UserError, render
from mlbuild.fetch import find_uv, index_settings
from mlbuild.fetch.index import _default_index
from mlbuild.fetch.package_file import fetch_package_file

MakeWheel = Callable[..., tuple[Path, str]]


def test_a_file_of_a_folder_is_found_by_its_hash(tmp_path: Path, store: Any, make_wheel: MakeWheel) -> None:
    path, sha256 = make_wheel(tmp_path / "w", "tiny", "1.0", {"tiny.py": "x"})
    uv = find_uv(index_settings({"PIP_FIND_LINKS": str(tmp_path / "w"), "PIP_NO_INDEX": "1"}))
    value = fetch_package_file("Tiny", "1.0.0", sha256, "", uv, store, str(tmp_path))
    assert store.get(value.digest) == path.read_bytes()


def test_a_file_of_an_index_of_files_is_found(tmp_path: Path, store: Any, make_wheel: MakeWheel) -> None:
    path, sha256 = make_wheel(tmp_path / "simple/tiny", "tiny", "1.0", {"tiny.py": "x"})
    (tmp_path / "simple/tiny/index.html").write_text(f'<a href="{path.name}#sha256={sha256}">{path.name}</a>')
    uv = find_uv(index_settings({"UV_DEFAULT_INDEX": f"file://{tmp_path}/simple"}))
    value = fetch_package_file("tiny", "1.0", sha256, path.name, uv, store, str(tmp_path))
    assert store.get(value.digest) == path.read_bytes()


def test_what_is_offered_instead_is_listed(tmp_path: Path, store: Any, make_wheel: MakeWheel) -> None:
    _, sha256 = make_wheel(tmp_path / "w", "tiny", "1.0", {"tiny.py": "x"})
    uv = find_uv(index_settings({"PIP_FIND_LINKS": str(tmp_path / "w"), "PIP_NO_INDEX": "1"}))

    def said(package: str, version: str) -> str:
        with pytest.raises(UserError) as caught:
            fetch_package_file(package, version, "0" * 64, "", uv, store, str(tmp_path))
        return render(caught.value.diagnostics[0])

    assert said("tiny", "1.0") == (
        f"error[no-such-package-file]: no package index has `tiny` 1.0 with `sha256:{'0' * 64}`\n"
        f"  `tiny-1.0-py3-none-any.whl` has `sha256:{sha256}`\n"
        "  hint: copy the hash of the file that you mean"
    )
    assert said("tiny", "2.0") == (
        "error[no-such-package-file]: no package index has version 2.0 of `tiny`\n  it has 1.0"
    )
    assert said("huge", "1.0") == "error[no-such-package]: no package index has a package `huge`"


def test_an_index_that_gives_other_bytes_than_it_says_is_caught(tmp_path: Path, store: Any) -> None:
    sha256 = hashlib.sha256(b"right").hexdigest()
    folder = tmp_path / "simple/tiny"
    folder.mkdir(parents=True)
    (folder / "tiny-1.0.tar.gz").write_bytes(b"wrong")
    (folder / "index.html").write_text(f'<a href="tiny-1.0.tar.gz#sha256={sha256}">tiny</a>')
    uv = find_uv(index_settings({"UV_DEFAULT_INDEX": f"file://{tmp_path}/simple"}))
    with pytest.raises(UserError) as caught:
        fetch_package_file("tiny", "1.0", sha256, "", uv, store, str(tmp_path))
    assert caught.value.diagnostics[0].code == "hash-mismatch"


def test_uv_says_its_own_index_where_none_is_configured() -> None:
    assert _default_index(find_uv(index_settings({"HOME": "/nonexistent", "UV_OFFLINE": "1"}))).startswith("https://")
