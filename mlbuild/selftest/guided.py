"""Bad input that a fuzzer leads where it has not been: atheris, which sees what each input makes mlbuild do.

A trial is one kind of input, in a process of its own, since atheris ends the process that it runs in. Trials of a kind go on
with the inputs that earlier ones have found worth keeping; so a violation is shown again by its input, not by its number.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from mlbuild.selftest.campaign import Campaign, Size, Violation, sum_of
from mlbuild.selftest.stage import Scene, Stage, environ

RUNS = 5_000
SLOW = 2.0
"""Seconds of processor time that no case may take: what is watched is about half as fast."""
LONGEST = 2_000
"""Bytes of an input."""
KINDS = (
    "BUILD file", "module", "label", "pattern", "glob", "command line", "rc file", "state file", "entry", "directory",
)  # fmt: skip
WORDS = (
    *(
        "def f(x):",
        "return",
        "for x in",
        "if",
        "else",
        "elif",
        "pass",
        "break",
        "load(",
        "lambda",
        "in",
        "not in",
        "and",
    ),
    *(
        "==",
        "**",
        "//",
        "<<",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        ":",
        ",",
        '"""',
        "\\x",
        "%s",
        "{}",
        "range(",
        "glob(",
        "select(",
    ),
    *("...", "@", "//", ":all", "**/", "*.py", "--", "--config=", "build", "common", "import %workspace%/"),
)
SAMPLES = {
    "BUILD file": b'load("//:d.bzl", "d")\nd(name = "a", srcs = glob(["*.py"]) + ["b"], n = [x * 2 for x in (1, 2)])\n',
    "module": b'def f(x, *args, y = 1, **kw):\n    for i in range(x):\n        if i % 2: continue\n    return {"a": [i]}\nF = f(3)\n',
    "label": b"@repo//a/b:c",
    "pattern": b"-//a/...",
    "glob": b"a/**/*.py",
    "command line": b"build //... --jobs=2 --define=a=b",
    "rc file": b"common --color=never\nbuild:x --jobs 3 # y\ntry-import %workspace%/z\n",
}


def lacking() -> str | None:
    return None if importlib.util.find_spec("atheris") is not None else "the Python package `atheris` is not installed"


def trial(stage: Stage, number: int) -> float:
    """Gives how many cases there were."""
    kind = KINDS[number % len(KINDS)]
    corpus = stage.folder / "corpus" / kind
    corpus.mkdir(parents=True, exist_ok=True)
    with stage.scene() as scene:
        place = scene.folder.parent
        path = os.pathsep.join((str(Path(__file__).parents[2]), *filter(None, sys.path)))
        done = subprocess.run(
            [sys.executable, "-m", "mlbuild.selftest.guided", kind, str(number + 1), str(place), str(corpus)],
            env={**environ(scene), "PYTHONPATH": path}, cwd=place, capture_output=True, timeout=1_800, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            inputs = [repr(path.read_bytes()) for path in sorted((place / "found").iterdir())]
            said = done.stderr.decode("utf-8", "backslashreplace")[-3_000:]
            raise Violation(f"{kind} {' '.join(inputs)}: it ended with {done.returncode}\n{said}")
    return RUNS


def fuzz(kind: str, seed: int, place: Path, corpus: Path) -> None:
    """Does not come back: atheris ends the process, with 0 if every case was read or refused in words."""
    import atheris

    with atheris.instrument_imports(include=["mlbuild"]):
        cases = _cases(Scene(place / "workspace", place / "mlbuild"))
        from mlbuild.selftest.bad_input import MUTATED, is_refusal

        case, sample = cases[kind], SAMPLES.get(kind) or MUTATED[kind]
        # What is imported where it is needed is watched too, if it is needed here.
        for given in (sample, b"("):
            with contextlib.suppress(Exception):
                case(given)

    def checked(given: bytes) -> None:
        began = time.process_time()
        try:
            case(given)
        except Exception as error:
            if not is_refusal(error):
                raise
        if time.process_time() - began > SLOW:
            raise AssertionError(f"it took {time.process_time() - began:.1f} s")

    found = place / "found"
    found.mkdir()
    (corpus / "sample").write_bytes(sample)
    words = place / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS), encoding="ascii")
    atheris.Setup(
        [sys.argv[0], f"-runs={RUNS}", f"-seed={seed}", f"-max_len={LONGEST}", f"-artifact_prefix={found}/",
         f"-dict={words}", "-rss_limit_mb=2048", "-print_final_stats=0", str(corpus)],
        checked,
    )  # fmt: skip
    atheris.Fuzz()


def _cases(scene: Scene) -> dict[str, Callable[[bytes], object]]:
    from mlbuild.lang import BUILD, MODULE, Dialect, Limits, StarlarkError, Thread, compile_program, execute
    from mlbuild.selftest.bad_input import cases

    limits = Limits(steps=20_000, memory=16 << 20)

    def program(given: bytes, dialect: Dialect) -> None:
        try:
            made = compile_program(given, "guided.bzl", dialect, frozenset({"glob", "select"}))
            predeclared = {"glob": None, "select": None}
            execute(made, predeclared, {load.module: {} for load in made.loads}, Thread(limits=limits))
        except StarlarkError as error:
            if not all(each.message for each in error.diagnostics):
                raise AssertionError("an error without words") from error

    return {
        **cases(scene),
        "BUILD file": lambda given: program(given, BUILD),
        "module": lambda given: program(given, MODULE),
    }


def _escaped(word: str) -> str:
    return "".join(each if each.isalnum() or each == " " else f"\\x{ord(each):02x}" for each in word)


CAMPAIGN = Campaign(
    "guided-input",
    f"the same with BUILD files, modules and globs, where a fuzzer that watches mlbuild looks for them ({RUNS} inputs a trial)",
    Size(0, 10, 10_000, 10),
    trial,
    lacking,
    measured=sum_of("cases"),
)

if __name__ == "__main__":
    fuzz(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
