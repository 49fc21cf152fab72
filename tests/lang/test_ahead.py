"""Many files are compiled by several processors: the same programs, and nothing that goes wrong there is lost or told twice."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.lang import BUILD, MODULE, ProgramCache, StarlarkError, Thread, ahead, execute

NAMES = frozenset(["host"])
COUNT = 2 * ahead.FEWEST


def source(number: int) -> bytes:
    return b"x = = 1" if number == 70 else b"x = [%d, host]" % number


def files(count: int) -> list[tuple[bytes, str, str]]:
    return [(source(number), f"p{number}/BUILD.ml", f"digest-{number}") for number in range(count)]


@pytest.fixture(autouse=True)
def three_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ProgramCache]:
    cache = ProgramCache(tmp_path / "cache")
    yield cache
    cache.close()


def until_kept(folder: Path, count: int) -> None:
    ends = time.monotonic() + 60
    while len(list(folder.glob("*.program"))) < count:
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_helpers_compile_all_that_can_be_compiled(cache: ProgramCache, tmp_path: Path) -> None:
    cache.ahead(files(COUNT), BUILD, NAMES)
    until_kept(tmp_path / "cache", COUNT - 1)
    for text, path, content in files(COUNT):
        if path == "p70/BUILD.ml":
            with pytest.raises(StarlarkError, match="syntax error"):
                cache.get(text, path, BUILD, NAMES, content)
            continue
        program = cache.get(lambda: pytest.fail("read again"), path, BUILD, NAMES, content)
        assert execute(program, {"host": path}, {}, Thread())["x"] == [int(path[1:-9]), path]


def test_few_files_and_files_that_are_kept_start_nothing(
    cache: ProgramCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, path, content in files(70):
        cache.get(text, path, BUILD, NAMES, content)
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a process"))
    cache.ahead(files(70), BUILD, NAMES)
    ProgramCache(tmp_path / "cache").ahead(files(70), BUILD, NAMES)
    cache.ahead([(b"x = 1", "a.bzl", "new")] * 3, MODULE, NAMES)
    ProgramCache(None).ahead(files(COUNT), BUILD, NAMES)


def test_a_helper_ends_when_its_work_is_not_wanted_any_more(cache: ProgramCache) -> None:
    cache.ahead(files(2_000), BUILD, NAMES)
    helpers = list(cache._helpers)
    assert len(helpers) == 2
    cache.close()
    assert all(helper.returncode is not None for helper in helpers)
