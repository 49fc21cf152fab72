"""Whatever is in a file, it ends in a value or in an error in our own words: no traceback, and soon."""

from __future__ import annotations

import random
import re
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from mlbuild.lang import BUILD, MODULE, Limits, StarlarkError, Thread, compile_program, execute
from mlbuild.lang.library import FUNCTIONS
from mlbuild.lang.methods import METHODS
from tests.lang.programs import Program

CASES = sorted(Path(__file__).with_name("cases").glob("*.star"))
WORDS = [
    *"()[]{}:;,.=+-*/%&|^~<>!@?\\\"'#\n\t _",
    *(
        "**",
        "//",
        "==",
        "!=",
        "<<",
        ">>",
        "+=",
        "\n    ",
        "\n  ",
        '"""',
        "'''",
        "\\\n",
        "\r\n",
        "\x00",
        "\ufeff",
        "\u202e",
    ),
    *(
        "def ",
        "for ",
        "in ",
        "if ",
        "else ",
        "elif ",
        "lambda ",
        "return ",
        "load",
        "not ",
        "and ",
        "or ",
        "pass",
        "break",
    ),
    *(
        "None",
        "True",
        "0",
        "1",
        "0x",
        "1e9",
        "1e999",
        "10" * 50,
        "b'",
        "r'",
        "f'",
        "\\u",
        "\\N{",
        "__class__",
        "x",
        "x",
    ),
    *("while ", "class ", "import ", "yield ", "global "),
    *(f"{name}(" for name in FUNCTIONS),
    *(f".{name}(" for table in METHODS.values() for name in table),
]
SLOWEST = 1.0


def mutated(text: str, source: random.Random) -> str:
    """The text with a few pieces taken out, put in, doubled or moved."""
    pieces = re.findall(r"\w+|\s+|[^\w\s]", text)[:400]
    for _ in range(source.randrange(1, 6)):
        at, other = source.randrange(len(pieces) + 1), source.randrange(len(pieces) + 1)
        choice = source.randrange(5)
        if choice == 0:
            del pieces[at : at + source.randrange(1, 4)]
        elif choice == 1:
            pieces.insert(at, source.choice(WORDS))
        elif choice == 2:
            pieces[at:at] = pieces[other : other + source.randrange(1, 6)]
        elif choice == 3:
            pieces[at:at] = [source.choice(WORDS)] * source.choice((2, 3, 50))
        else:
            pieces[at : at + 1] = [source.choice(WORDS)]
    return "".join(pieces)


def inputs(seed: int) -> str:
    source = random.Random(seed)
    kind = source.randrange(4)
    if kind == 0:
        return "".join(source.choices(WORDS, k=source.randrange(1, 40)))
    if kind == 1:
        return mutated(Program(seed).text(), source)
    chunks = source.choice(CASES).read_text().split("---\n")
    return mutated(source.choice(chunks), source)


def survives(text: str) -> None:
    """Fails the test if the text raises anything but `StarlarkError`, or takes too long."""
    began = time.process_time()
    for dialect in (MODULE, BUILD):
        try:
            program = compile_program(text.encode("utf-8", "surrogatepass"), "fuzz.bzl", dialect, frozenset())
            execute(program, {}, {each.module: {} for each in program.loads}, Thread(limits=Limits(steps=20_000)))
        except StarlarkError as error:
            assert str(error)
    spent = time.process_time() - began
    assert spent < SLOWEST, f"{spent:.1f} s: {text!r}"


def fuzz(first: int, last: int, seconds: float) -> int:
    """How many inputs were tried before the time was over."""
    ends = time.monotonic() + seconds
    for seed in range(first, last):
        text = inputs(seed)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                survives(text)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}\n{text!r}") from error
        if time.monotonic() > ends:
            return seed + 1 - first
    return last - first


def test_two_thousand_damaged_files_end_well() -> None:
    assert fuzz(0, 2_000, 40) > 300


@pytest.mark.campaign
def test_half_a_million_damaged_files_end_well_in_256_mib() -> None:
    """As many of them as ten minutes hold, in a process that can have no more memory."""
    limit = 256 << 20
    code = "from tests.lang.test_fuzz import fuzz; print(fuzz(2_000, 502_000, 600))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=Path(__file__).parents[2],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )
    assert found.returncode == 0, found.stderr[-3000:]
    assert int(found.stdout) > 50_000
