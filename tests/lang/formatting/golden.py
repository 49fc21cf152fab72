"""The golden cases: `cases/*.txt` hold `=== claim (kind)`, a text, `--- becomes`, and the text in the one form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from mlbuild.lang.formatting import Kind

FOLDER = Path(__file__).with_name("cases")
_TITLE = re.compile(r"(?m)^=== (.+) \((build|bzl|workspace)\)\n")


class Case(NamedTuple):
    """A text and what formatting makes of it."""

    name: str
    kind: Kind
    text: str
    formatted: str


def cases_of(file: Path) -> list[Case]:
    """The cases of a file, in their order."""
    _, *parts = _TITLE.split(file.read_text())
    found = []
    for claim, kind, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        text, formatted = body.split("--- becomes\n")
        found.append(Case(f"{file.stem}: {claim}", Kind(kind), text, formatted))
    return found


def all_cases() -> list[Case]:
    """Every case that buildifier and mlbuild format alike."""
    return [case for file in sorted(FOLDER.glob("*.txt")) for case in cases_of(file)]
