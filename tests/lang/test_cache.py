"""Compiled files are kept by content, for their owner alone, and never believed when damaged."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from mlbuild.lang import BUILD, MODULE, PrivateFolder, Program, ProgramCache, StarlarkError, Thread, cache, execute

SOURCE = b'load("//:a.bzl", "a", c = "b")\nx = [a, c]\ndef f(y = 3): return y + 1\nz = f()\n_p = 1\n'


def run(compiled: Program) -> dict[str, object]:
    found = execute(compiled, {}, {"//:a.bzl": {"a": 1, "b": 2}}, Thread())
    return {name: value for name, value in found.items() if name != "f"}


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were really compiled."""
    found: list[str] = []
    real = cache.compile_program

    def counting(source: bytes, path: str, *rest: object) -> Program:
        found.append(path)
        return real(source, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(cache, "compile_program", counting)
    return found


def get(
    folder: Path | None, source: bytes = SOURCE, path: str = "p/a.bzl", names: frozenset[str] = frozenset()
) -> Program:
    return ProgramCache(folder).get(source, path, MODULE, names)


def test_a_kept_program_runs_as_the_compiled_one_and_is_not_compiled_again(
    tmp_path: Path, compilations: list[str]
) -> None:
    first, second = get(tmp_path / "cache"), get(tmp_path / "cache")
    assert run(first) == run(second) == {"x": [1, 2], "z": 4}
    assert first.loads == second.loads
    assert compilations == ["p/a.bzl"]


def test_what_decides_the_code_is_in_the_key(tmp_path: Path, compilations: list[str]) -> None:
    cache = ProgramCache(tmp_path / "cache")
    cache.get(b"x = 1", "a", MODULE, frozenset())
    cache.get(b"x = 2", "a", MODULE, frozenset())
    cache.get(b"x = 1", "b", MODULE, frozenset())
    cache.get(b"x = 1", "a", BUILD, frozenset())
    cache.get(b"x = 1", "a", MODULE, frozenset({"x"}))
    cache.get(b"x = 1", "a", MODULE, frozenset())
    assert len(compilations) == 5


def test_damaged_entries_are_made_anew(tmp_path: Path, compilations: list[str]) -> None:
    get(tmp_path / "cache")
    (entry,) = (tmp_path / "cache").iterdir()
    whole = entry.read_bytes()
    for damaged in (b"", whole[:10], whole[:-1], whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], whole + b"x"):
        entry.write_bytes(damaged)
        assert run(get(tmp_path / "cache"))["z"] == 4
        # Made once more and then good again (not byte by byte: marshal writes what else refers to a value, too).
        assert run(get(tmp_path / "cache"))["z"] == 4
    assert len(compilations) == 6


def test_an_entry_under_another_name_is_not_believed(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    get(folder, b"x = 1")
    (one,) = folder.iterdir()
    get(folder, b"x = 2")
    (two,) = [each for each in folder.iterdir() if each != one]
    two.write_bytes(one.read_bytes())
    assert run(get(folder, b"x = 2")) == {"x": 2}


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    assert run(get(folder))["z"] == 4
    assert list(folder.iterdir()) == []


def test_a_link_to_a_folder_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "cache").symlink_to(tmp_path / "real")
    assert run(get(tmp_path / "cache"))["z"] == 4
    assert list((tmp_path / "real").iterdir()) == []


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    get(tmp_path / "cache")
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


def test_nothing_is_needed_to_work_without_a_folder(tmp_path: Path) -> None:
    assert run(get(None))["z"] == 4
    (tmp_path / "file").touch()
    assert run(get(tmp_path / "file"))["z"] == 4


def test_a_file_with_errors_is_not_kept(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(StarlarkError, match="name 'y' is not defined"):
            get(tmp_path / "cache", b"x = y")


def test_a_file_whose_digest_is_known_is_not_read(tmp_path: Path, compilations: list[str]) -> None:
    reads: list[str] = []

    def read() -> bytes:
        reads.append("read")
        return SOURCE

    for _ in range(3):
        found = ProgramCache(tmp_path).get(read, "p/a.bzl", MODULE, frozenset(), "digest-1")
        assert run(found)["z"] == 4
    assert (reads, len(compilations)) == (["read"], 1)
    ProgramCache(tmp_path).get(read, "p/a.bzl", MODULE, frozenset(), "digest-2")
    assert (len(reads), len(compilations)) == (2, 2)


def test_an_error_reads_the_line_that_it_shows(tmp_path: Path) -> None:
    source = b"def f(x):\n    return x + 1\n\ny = f(None)\n"
    for _ in range(2):
        found = ProgramCache(tmp_path).get(lambda: source, "a.bzl", MODULE, frozenset(), "digest")
        with pytest.raises(StarlarkError) as caught:
            execute(found, {}, {}, Thread())
        assert caught.value.diagnostics[0].source_line == "    return x + 1"


def test_what_a_killed_writer_left_goes_with_the_next(tmp_path: Path) -> None:
    folder = PrivateFolder(tmp_path / "lang", ".kept")
    folder.write("key", b"first")
    (tmp_path / "lang" / ".key.new").write_bytes(b"half of what was to be wri")
    folder.write("key", b"second")
    assert folder.read("key") == b"second"
    assert [each.name for each in (tmp_path / "lang").iterdir()] == ["key.kept"]


def test_of_two_writers_at_once_the_second_leaves_it_to_the_first(tmp_path: Path) -> None:
    folder = PrivateFolder(tmp_path / "lang", ".kept")
    folder.write("key", b"before")
    with (tmp_path / "lang" / ".key.new").open("wb") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        folder.write("key", b"second")
    assert folder.read("key") == b"before"
