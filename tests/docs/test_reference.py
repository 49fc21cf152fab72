"""The reference pages are what the code says."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_pages_made_from_code_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs/make_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    stale = [
        path
        for path, text in module.pages().items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `python docs/make_reference.py`"
