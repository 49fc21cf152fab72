"""Every error of loading and analysis, word for word: `cases/*.txt`.

A case is `# what is wrong`, files (`-- path`), the labels that are analysed (`-- analyse`) and what a person reads
(`-- error`). Files that a case does not name are those of the first case of its file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlbuild.testing.workspace import MemoryWorkspace

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class Case:
    title: str
    files: dict[str, str]
    labels: tuple[str, ...]
    error: str


def read_cases(path: Path) -> Iterator[Case]:
    shared: dict[str, str] = {}
    for text in path.read_text(encoding="utf-8").split("\n# ")[1:]:
        title, _, body = text.partition("\n")
        sections = {
            name: content for name, _, content in (part.partition("\n") for part in ("\n" + body).split("\n-- ")[1:])
        }
        sections = {name: content.removesuffix("\n") + "\n" if content else "" for name, content in sections.items()}
        if "error" not in sections:
            shared = sections
            continue
        error = sections.pop("error").rstrip("\n")
        labels = tuple(sections.pop("analyse", "//:x").split())
        yield Case(title, shared | sections, labels, error)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.title) for path in sorted(CASES.glob("*.txt")) for case in read_cases(path)]
)
def test_the_error_says_where_what_and_what_to_try(case: Case) -> None:
    assert MemoryWorkspace(case.files).error(*case.labels) == case.error
