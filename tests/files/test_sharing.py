"""A folder's mode says whether a group shares it, and what is made in it follows, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.files.sharing import file_mode, is_shared, make_cache, make_folder, open_lock, private_part


@pytest.fixture(autouse=True, params=[0o002, 0o077], ids=["umask 002", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def folder(place: Path, mode: int) -> Path:
    place.mkdir()
    place.chmod(mode)
    return place


def mode_of(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0o2770, True), (0o2775, True), (0o2777, False), (0o770, False), (0o2750, False), (0o700, False)],
)
def test_the_mode_says_whose_a_folder_is(tmp_path: Path, mode: int, expected: bool) -> None:
    assert is_shared(folder(tmp_path / "cache", mode)) is expected


@pytest.mark.parametrize(("mode", "of_files"), [(0o2770, 0o660), (0o2775, 0o664)])
def test_what_is_made_in_a_shared_folder_is_the_groups(tmp_path: Path, mode: int, of_files: int) -> None:
    cache = folder(tmp_path / "cache", mode)
    make_folder(cache / "ac" / "ab")
    make_folder(cache / "ac" / "ab")
    os.close(open_lock(cache / "lock"))
    os.close(open_lock(cache / "lock"))
    assert [mode_of(cache / path) for path in ("ac", "ac/ab", "lock")] == [mode, mode, of_files]
    assert file_mode(cache / "ac" / "ab") == of_files
    assert sorted(os.listdir(cache)) == ["ac", "lock"]
    assert private_part(cache) == cache / "users" / str(os.geteuid())


def test_what_is_made_in_any_other_folder_is_its_makers(tmp_path: Path) -> None:
    cache = folder(tmp_path / "cache", 0o755)
    make_folder(cache / "ac" / "ab")
    os.close(open_lock(cache / "lock"))
    assert [mode_of(cache / path) for path in ("ac", "ac/ab", "lock")] == [0o700, 0o700, 0o600]
    assert (file_mode(cache), private_part(cache)) == (0o600, cache)


def test_a_cache_is_shared_only_where_somebody_said_so(tmp_path: Path) -> None:
    home = folder(tmp_path / "home", 0o2775)
    make_cache(home / "mlbuild")
    make_cache(home / "mlbuild")
    assert (is_shared(home), is_shared(home / "mlbuild"), mode_of(home / "mlbuild") & 0o777) == (True, False, 0o700)
