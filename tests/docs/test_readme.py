"""What the README shows is what is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_code_that_it_shows_stands_in_the_example() -> None:
    models = ROOT / "examples/flights/models"
    sources = (models / "BUILD.ml").read_text(encoding="utf-8") + (models / "train.py").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:python|starlark)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    assert [block for block in blocks if block not in sources] == []


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []


def test_the_first_two_shell_lines_build_the_ranker_and_run_the_tests() -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    build, test = block.splitlines()
    assert build.startswith("pip install . && ") and "//models:ranker" in build
    assert test.startswith("pip install '.[dev]' && pytest")
