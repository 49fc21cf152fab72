"""Texts to be formatted in tests."""

from __future__ import annotations

from pathlib import Path

from mlbuild.lang.syntax.scan import scan
from tests.lang.formatting.golden import all_cases

ROOT = Path(__file__).parents[3]
SHORT = 3000


def own_files() -> list[Path]:
    """The BUILD files, workspace files and modules of this repository."""
    folders = ("rules", "examples", "tests", "docs")
    every = [ROOT / "WORKSPACE.ml", *(file for folder in folders for file in (ROOT / folder).rglob("*"))]
    names = ("BUILD.ml", "WORKSPACE.ml")
    return sorted(
        file for file in every if (file.name in names or file.suffix == ".bzl") and "mlbuild-out" not in file.parts
    )


def comments_of(text: str) -> list[str]:
    """The comments of a text, sorted."""
    return sorted(token.strip() for token in scan(text).texts if token.startswith("#"))


TEXTS = [
    *(text for file in own_files() if len(text := file.read_text(encoding="utf-8")) < SHORT),
    *(case.text for case in all_cases()),
]
"""Short files of this repository, and the golden cases."""
