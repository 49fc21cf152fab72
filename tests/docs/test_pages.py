"""What the pages say is what happens: every file in them is written, every command run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.page import Reader, blocks
from tests.end_to_end.conftest import cache, shared_folder, small_flights_module, warm_cache  # noqa: F401 (fixtures)

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path for kind in ("tutorial", "how_to", "explanation") for path in (DOCS / kind).glob("*.md"))
COMMANDS = [page for page in PAGES if any(block.words[:1] == ("sh",) for block in blocks(page.read_text("utf-8")))]


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.stem)
def test_the_page_does_what_it_says(page: Path, tmp_path: Path, cache: Path) -> None:  # noqa: F811
    Reader(tmp_path / "reader", cache.parent).follow(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("http") and not (page.parent / link).exists()] == []
