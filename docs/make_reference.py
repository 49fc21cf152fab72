"""Makes the reference pages from the code: `python -m docs.make_reference`. A test says when they have fallen behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from docs.made import differences, errors, exit_codes, language, numerics, query, rules
from mlbuild.cli import reference as commands

ROOT = Path(__file__).resolve().parents[1]


def pages() -> Mapping[str, str]:
    """Every page that is made from code, by its path from the root."""
    return {
        "docs/reference/commands.md": commands.page(),
        "docs/reference/errors.md": errors.page(ROOT),
        "docs/reference/exit_codes.md": exit_codes.page(),
        "docs/reference/language.md": language.page(ROOT / "rules"),
        "docs/reference/numerics.md": numerics.page(ROOT / "rules"),
        "docs/reference/query.md": query.page(),
        "docs/reference/rules.md": rules.page(ROOT / "rules"),
        "docs/reference/starlark_differences.md": differences.page(ROOT / "tests" / "lang"),
    }


def main() -> None:
    for path, text in pages().items():
        (ROOT / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
