"""Copies one file out of a folder: a file of its own for whoever wants to show it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> None:
    source, target = arguments
    shutil.copyfile(source, target)
