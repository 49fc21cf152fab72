"""Pages that are run: their fenced blocks are files, commands and what the commands say.

    ```starlark data/BUILD.ml        a file: the block is its content; with `append`, it is added to the file
    ```sh                            commands, run one block after the other in one folder; must end with 0
    ```sh exit 3                     the same, must end with 3
    ```text                          after commands: lines that they print, in this order, others may stand between

In a line of expected output `…` is any text and blanks count once. A number with a point is any number, and so are the
counts of all actions and of cached ones; how many ran is exact. Blocks with no second word and no `sh` before them are for
reading. The prose says each file's name too: readers see no info strings.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mlbuild

SECONDS = 300
REPOSITORY = Path(mlbuild.__file__).parents[1]
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PASSED_ON = re.compile(r"(UV|PIP)_|.*_proxy$|.*_PROXY$|SSL_CERT|REQUESTS_CA|TMPDIR$")


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after the fence, what is in it, and its line in the page."""

    words: tuple[str, ...]
    text: str
    line: int


@dataclass
class Reader:
    """Someone who does what a page says, in an empty folder, with an empty home."""

    folder: Path
    cache: Path
    standing: Path = field(init=False)
    said: str = ""

    def __post_init__(self) -> None:
        self.standing = self.folder / "here"
        for each in (self.standing, self.folder / "home", self.folder / "bin"):
            each.mkdir(parents=True)
        program = self.folder / "bin" / "mlbuild"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m mlbuild "$@"\n', encoding="utf-8")
        program.chmod(0o755)

    def follow(self, page: str) -> None:
        """Does it all. AssertionError, with the line in the page, when something is not as the page says."""
        for block in blocks(page):
            match block.words:
                case ("sh",):
                    self.run(block, 0)
                case ("sh", "exit", code):
                    self.run(block, int(code))
                case ("text",) if self.said:
                    expect(block, self.said)
                case (_, path, *how):
                    self.write(path, block.text, "append" in how)
                case _:
                    pass

    def run(self, block: Block, code: int) -> None:
        place = self.folder / "standing"
        script = f"set -e\ntrap 'pwd > \"{place}\"' EXIT\n{block.text}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.standing, env=self.environment(), timeout=SECONDS,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.said = done.stdout.decode("utf-8", "replace") or "\n"
        self.standing = Path(place.read_text(encoding="utf-8").rstrip("\n"))
        assert done.returncode == code, f"line {block.line}: exit code {done.returncode}\n{block.text}\n{self.said}"

    def write(self, path: str, text: str, is_added: bool) -> None:
        place = self.standing / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a" if is_added else "w", encoding="utf-8") as file:
            file.write("\n" + text if is_added else text)

    def environment(self) -> dict[str, str]:
        passed = {name: value for name, value in os.environ.items() if PASSED_ON.match(name)}
        return passed | {
            "HOME": str(self.folder / "home"),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),  # mlbuild as if it were installed
            "XDG_CACHE_HOME": str(self.cache),
        }


def blocks(page: str) -> Iterator[Block]:
    """The page's fenced blocks, in order."""
    for found in FENCE.finditer(page):
        yield Block(tuple(found["info"].split()), found["text"], page.count("\n", 0, found.start()) + 1)


def expect(block: Block, said: str) -> None:
    """All lines of the block are among what was said, in order."""
    lines = iter(said.splitlines())
    for wanted in block.text.splitlines():
        pattern = _pattern(wanted)
        if wanted.strip() and not any(pattern.fullmatch(line.strip()) for line in lines):
            raise AssertionError(f"line {block.line}: `{wanted}` is not said, or not after the line before\n{said}")


LOOSE = re.compile(r"(…|[+-]?\d+\.\d+|\d+(?= actions?:| cached)|\s+)")


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile("".join(_piece(piece) for piece in LOOSE.split(line.strip())))


def _piece(piece: str) -> str:
    if piece == "…":
        return ".*"
    if piece.isspace():
        return r"\s+"
    return r"[+-]?\d+(\.\d+)?" if re.fullmatch(r"[+-]?\d+(\.\d+)?", piece) else re.escape(piece)
