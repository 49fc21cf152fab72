"""A credential helper, with Bazel's protocol: what it gives goes with requests; what goes wrong with it is said."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.remote.raw_http_cache import RawHttpCache, answer
from tests.remote.small_build import EXPECTED, build


def helper(folder: Path, text: str) -> str:
    place = folder / "helper"
    place.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    place.chmod(place.stat().st_mode | stat.S_IXUSR)
    return str(place)


def test_its_headers_go_with_every_request(tmp_path: Path) -> None:
    with RawHttpCache() as server:
        asked = tmp_path / "asked"
        program = helper(
            tmp_path,
            f"""echo "$1" >> {asked}; cat >> {asked}; echo '{{"headers": {{"Authorization": ["Bearer one"]}}}}'""",
        )
        built = build(server.url, credential_helper=program)
        assert {each.headers.get("authorization") for each in server.asked} == {"Bearer one"}
        assert asked.read_text(encoding="utf-8") == f'get\n{{"uri": "{server.url}"}}'
    assert built.warnings == []


def test_it_is_asked_again_when_what_it_gave_is_not_taken_any_more(tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = helper(tmp_path, f"""echo x >> {count}; echo '{{"headers": {{"x-key": "'$(wc -l < {count})'"}}}}'""")
    with RawHttpCache() as server:
        server.wrong = lambda server, asked: (
            [answer(b"", "401 Unauthorized")] if asked.headers["x-key"] == "1" else None
        )
        built = build(server.url, credential_helper=program)
    assert built.warnings == []
    assert count.read_text(encoding="utf-8") == "x\nx\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("echo no credentials today >&2; exit 3", "ended with 3: 'no credentials today'"),
        ("echo nonsense", "did not answer with headers as JSON"),
        ("""printf '{"headers": {"x": ["a\\\\u000ab"]}}'""", "did not answer with headers as JSON"),
    ],
)
def test_what_goes_wrong_with_it_is_said_and_the_build_goes_on(tmp_path: Path, text: str, why: str) -> None:
    program = helper(tmp_path, text)
    with RawHttpCache() as server:
        built = build(server.url, credential_helper=program)
        assert server.asked == []
    assert built.outputs == EXPECTED
    (warning,) = built.warnings
    assert warning.message.endswith(f"`--credential_helper={program}` {why}")


def test_a_helper_that_is_not_there(tmp_path: Path) -> None:
    with RawHttpCache() as server:
        (warning,) = build(server.url, credential_helper=str(tmp_path / "none")).warnings
    assert warning.message.endswith("cannot be run: No such file or directory")
