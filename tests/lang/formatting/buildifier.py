"""buildifier 8.2.1 as npm has it: the oracle of the format."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from mlbuild.lang.formatting import Kind

VERSION = "8.2.1"
_REFUSED = r"/text(\d+):\d+:\d+: "


def install(name: str, folder: Path) -> Path:
    """The program of the npm package `@bazel/NAME`. Raises OSError, or subprocess errors, where that is not to be had."""
    package = f"@bazel/{name}@{VERSION}"
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), package]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return folder / "node_modules" / ".bin" / name


class Buildifier:
    """Formats many texts at once."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder = program, folder

    def formatted(self, texts: list[str], kind: Kind) -> list[str | None]:
        """The texts in its form; None for what it refuses."""
        places = [self._folder / f"text{number}" for number in range(len(texts))]
        for place, text in zip(places, texts, strict=True):
            place.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [self._program, "-config=off", "-lint=off", f"-type={kind.value}", *places],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        refused = {int(number) for number in re.findall(_REFUSED, done.stderr)}
        return [None if number in refused else place.read_text("utf-8") for number, place in enumerate(places)]

    def settled(self, texts: list[str], kind: Kind, most: int = 6) -> list[str | None]:
        """The texts formatted again and again until nothing changes; None where it refuses what it wrote, or does not settle."""
        before, found = list(texts), self.formatted(texts, kind)
        for _ in range(most):
            if found == before:
                break
            before = [text or "" for text in found]
            found = self.formatted(before, kind)
        return [text if text == last else None for text, last in zip(found, before, strict=True)]
