"""The page on security says of each door what the probes are answered with, and names no door that is not tried."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/explanation/security.md"
PROBES = Path(__file__).with_name("probes.py").read_text()


def rows() -> dict[str, str]:
    return dict(re.findall(r"^\| `([a-z0-9_-]+)` \| `([A-Z]+)` \|$", PAGE.read_text(), re.MULTILINE))


def test_the_table_is_what_the_tests_demand(walls):
    assert rows() == walls


def test_every_door_of_the_table_is_tried():
    tried = set(re.findall(r'^    "([a-z0-9_-]+)": ', PROBES, re.MULTILINE)) | {"host-loopback", "host-abstract-socket"}
    assert set(rows()) <= tried
