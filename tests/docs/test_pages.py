"""What the pages say is what happens: every file in them is written, every command run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.docs.page import Reader, blocks
from tests.end_to_end.conftest import cache, shared_folder, small_flights_module, warm_cache  # noqa: F401 (fixtures)

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path for kind in ("tutorial", "how_to", "explanation") for path in (DOCS / kind).glob("*.md"))
COMMANDS = [page for page in PAGES if any(block.words[:1] == ("sh",) for block in blocks(page.read_text("utf-8")))]


PROGRAMS = {"share_a_remote_cache": "nginx"}
"""Pages whose commands need what not every machine has."""


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.stem)
def test_the_page_does_what_it_says(page: Path, tmp_path: Path, cache: Path) -> None:  # noqa: F811
    program = PROGRAMS.get(page.stem)
    if program is not None and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    Reader(tmp_path / "reader", cache.parent).follow(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("http") and not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_file_is_named_above_its_block(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [block for block in blocks(text) if len(block.words) > 1 and block.words[0] != "sh"]
    lines = text.splitlines()
    assert [block.words[1] for block in named if lines[block.line - 3] != f"`{block.words[1]}`:"] == []


def test_a_page_that_says_what_is_not_so_fails(tmp_path: Path) -> None:
    said = "```sh\necho one; echo 2.5 seconds; echo three\n```\n\n"
    Reader(tmp_path / "right", tmp_path).follow(said + "```text\none\n9.1 seconds\n…ee\n```\n")
    for number, wrong in enumerate(("two", "three\none", "one seconds")):
        with pytest.raises(AssertionError, match=r"line 5: .* is not said"):
            Reader(tmp_path / str(number), tmp_path).follow(f"{said}```text\n{wrong}\n```\n")
    with pytest.raises(AssertionError, match="exit code 1"):
        Reader(tmp_path / "code", tmp_path).follow("```sh\nfalse\ntrue\n```\n")
