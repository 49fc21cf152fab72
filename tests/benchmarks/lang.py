"""The speed of the language, as ratios in one run on one machine; nothing is asserted.

    python tests/benchmarks/lang.py [--runs 7] [--go PYTHON]

Parsing is measured against `ast.parse` of the same text, the start against bare Python, loops and calls against starlark-go (an
interpreter given with `--go` that has the package `starlark-go`). Minima of CPU time, so that a busy machine matters little.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import json
import math
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MACROS = {
    "sum_ints": """
def sum_ints(n):
    total = 0
    for i in range(n):
        if i % 3 == 0:
            total += i
        else:
            total = total + i * 2
    return total
result = sum_ints(300000)
""",
    "strings": """
def strings(n):
    out = []
    for i in range(n):
        name = "target_%d" % i
        if name.startswith("target_1"):
            out.append(name.upper() + "/" + "{}:{}".format(name, i))
        else:
            out.append("//pkg/%s:%s" % (name, "lib"))
    return len(",".join(out))
result = strings(60000)
""",
    "dicts": """
def dicts(n):
    counts = {}
    for i in range(n):
        key = i % 1000
        if key in counts:
            counts[key] = counts[key] + 1
        else:
            counts[key] = 1
    total = 0
    for key, value in counts.items():
        total += value
    return total
result = dicts(100000)
""",
    "comps": """
def comps(n):
    squares = [i * i for i in range(n) if i % 2 == 0]
    by = {str(i): i for i in range(n // 10)}
    return len(squares) + len(by) + len([x for x in squares if x > 100])
result = comps(100000)
""",
    "calls": """
def add(a, b = 1):
    return a + b
def twice(x):
    return add(x) + add(x, b = 2)
def calls(n):
    total = 0
    for i in range(n):
        total = twice(i)
    return total
result = calls(100000)
""",
    "nested": """
def nested(n):
    count = 0
    for i in range(n):
        for j in range(n):
            if i < j:
                count += 1
    return count
result = nested(400)
""",
    "run_matrix": """
def target(name, deps, **kwargs):
    return {"name": name, "deps": deps, "tags": kwargs.get("tags", [])}
def run_matrix(models, seeds, rates):
    out = []
    for model in models:
        for seed in seeds:
            for rate in rates:
                name = "%s_s%d_r%s" % (model, seed, str(rate).replace(".", "_"))
                out.append(target(name = name, deps = [":" + model, "//data:train"], tags = ["seed=%d" % seed]))
    return out
result = len(run_matrix(["m%d" % i for i in range(10)], range(30), [i * 10 for i in range(30)]))
""",
}

TARGET = """ml_target(
    name = "{name}",
    srcs = ["{name}.py", "data/{name}_train.csv"],
    deps = [":base", "//common/libs:features", "//common/libs:models"],
    params = {{"rate": 0.05, "depth": {number}, "names": ["first", "second"]}},
    tags = ["nightly", "team={name}"],
    visibility = ["//visibility:public"],
)

"""


def build_text(package: int, targets: int = 8) -> str:
    head = f'# The targets of one package.\nload("//rules:defs.bzl", "ml_target")\n\npackage_name = "p{package}"\n\n'
    return head + "".join(TARGET.format(name=f"run_{package}_{i}", number=i) for i in range(targets))


def module_text() -> str:
    """A module of many functions, of the statements that modules are made of."""
    parts = []
    for number in range(150):
        parts += [f'"""Section {number}."""\n']
        for text in MACROS.values():
            parts.append(text.rsplit("result =", 1)[0].replace("def ", f"def f{number}_"))
    return "".join(parts)


def least(do: Callable[[], object], runs: int) -> float:
    """The least CPU seconds."""
    best = math.inf
    for _ in range(runs):
        began = time.process_time()
        do()
        best = min(best, time.process_time() - began)
    return best


def parsing(runs: int) -> None:
    from mlbuild.lang.syntax.parse import parse

    print("parse | bytes | ast.parse ms | mlbuild ms | speed against ast.parse")
    for name, text in (("BUILD", build_text(1, 100)), ("module", module_text())):
        parse(text, "warm")
        ours, theirs = math.inf, math.inf
        for _ in range(runs):  # in turns, so that both meet the same machine
            theirs = min(theirs, least(lambda text=text: ast.parse(text), 1))
            ours = min(ours, least(lambda text=text: parse(text, "x"), 1))
        print(f"{name} | {len(text)} | {theirs * 1e3:.2f} | {ours * 1e3:.2f} | {theirs / ours:.2f}")


def loading(runs: int) -> None:
    from mlbuild.files.states import FileStates, Stamp
    from mlbuild.lang import BUILD, ProgramCache, Thread, execute
    from mlbuild.terms import Digest

    made: list[str] = []
    names = frozenset(["ml_target"])

    def ml_target(name: str, **_: Any) -> None:
        made.append(name)

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "sources")
        folder.mkdir()
        paths = []
        for number in range(1000):
            path = folder / f"BUILD{number}.ml"
            path.write_text(build_text(number).replace('load("//rules:defs.bzl", "ml_target")\n', ""))
            paths.append(str(path))
        kept = Path(place, "kept")

        def load() -> list[Any]:
            cache = ProgramCache(kept)
            programs = []
            for path in paths:
                descriptor = os.open(path, os.O_RDONLY)
                source = os.read(descriptor, 1 << 20)
                os.close(descriptor)
                programs.append(cache.get(source, path, BUILD, names))
            return programs

        cold = least(load, 1)
        programs = load()
        states = FileStates(None)
        for path in paths:
            stamp = Stamp.of(os.stat(path))
            states.learn(path, stamp, stamp.ctime_ns + 10**11, Digest.of(Path(path).read_bytes()))

        def load_by_state() -> list[Any]:
            cache = ProgramCache(kept)
            found = []
            for path in paths:
                digest = states.digest(path, Stamp.of(os.stat(path)))
                assert digest is not None
                found.append(cache.get(Path(path).read_bytes, path, BUILD, names, digest.hash))
            return found

        load_by_state()

        def run() -> None:
            made.clear()
            thread = Thread()
            for program in programs:
                execute(program, {"ml_target": ml_target}, {}, thread)

        hashed = least(load, runs)
        by_state = least(load_by_state, runs)
        executed = least(run, runs)
        assert len(made) == 8000
    print("1,000 BUILD files, 8,000 targets | CPU ms")
    print(f"compile and keep (cold) | {cold * 1e3:.0f}")
    print(f"load, hashed | {hashed * 1e3:.1f}")
    print(f"load, by file state | {by_state * 1e3:.1f}")
    print(f"execute | {executed * 1e3:.1f}")


def _child(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(arguments, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def starting(runs: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        script = Path(place, "ready.py")
        script.write_text(
            "import sys\nfrom mlbuild.lang import *\n"
            f"program = ProgramCache({place!r} + '/kept').get(b'x = [1]', 'BUILD', BUILD, frozenset())\n"
            "assert execute(program, {}, {}, Thread()) == {'x': [1]}\nassert 'lark' not in sys.modules\n"
        )
        empty = Path(place, "empty.py")
        empty.write_text("import sys\n")
        environment = os.environ
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        bare, ready = math.inf, math.inf
        _child([sys.executable, str(script)])
        for _ in range(runs * 3):
            bare = min(bare, _child([sys.executable, str(empty)]))
            ready = min(ready, _child([sys.executable, str(script)]))
    print("start | CPU ms")
    print(f"bare Python | {bare * 1e3:.1f}")
    print(f"import and ready, over bare Python | {(ready - bare) * 1e3:.1f}")


_GO = """
import json, sys, time
import starlark_go
starlark_go.configure_starlark(allow_set=True)
best = {}
for name, text in json.load(sys.stdin).items():
    least = 1e9
    try:
        for _ in range(int(sys.argv[1])):
            began = time.process_time()
            interpreter = starlark_go.Starlark()
            interpreter.exec(text, filename="x.star")
            least = min(least, time.process_time() - began)
    except Exception as error:
        print(name, error, file=sys.stderr)
        continue
    best[name] = least, interpreter.get("result")
print(json.dumps(best))
"""


def macros(runs: int, go: str | None) -> None:
    from mlbuild.lang import MODULE, Thread, compile_program, execute

    theirs: dict[str, Any] = {}
    if go:
        answer = subprocess.run(
            [go, "-c", _GO, str(runs)], input=json.dumps(MACROS), capture_output=True, text=True, check=True
        )
        theirs = json.loads(answer.stdout)
    print("macro | mlbuild ms | starlark-go ms | ratio")
    logarithms = []
    for name, text in MACROS.items():
        program = compile_program(text.encode(), name, MODULE, frozenset())
        results: list[Any] = []
        seconds = least(
            lambda program=program, results=results: results.append(execute(program, {}, {}, Thread())), runs
        )
        if name not in theirs:
            print(f"{name} | {seconds * 1e3:.1f} | |")
            continue
        other, result = theirs[name]
        assert results[0]["result"] == result, (name, results[0]["result"], result)
        logarithms.append(math.log(seconds / other))
        print(f"{name} | {seconds * 1e3:.1f} | {other * 1e3:.1f} | {seconds / other:.2f}")
    if logarithms:
        print(f"geometric mean | | | {math.exp(sum(logarithms) / len(logarithms)):.2f}")


_MANY = 1 << 60


def their_own(path: Path, runs: int, go: str) -> None:
    """The functions `bench_...(b)` of starlark-go's own benchmark file, each for as many turns as take us 20 ms."""
    from mlbuild.lang import MODULE, Limits, Thread, compile_program, execute

    # The Python package of starlark-go does not have `json`.
    parts = re.split(r"(?m)^(?=\S)", path.read_text())
    text = "".join(part for part in parts if "json." not in part)
    text = text.replace("b.n", "b")
    texts: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for name in re.findall(r"^def (bench_\w+)", text, re.M):
        turns, took = 1, 0.0
        while took < 0.02:
            turns *= 4
            source = f"{text}\nresult = {name}({turns})\n"
            program = compile_program(source.encode(), name, MODULE, frozenset())
            took = least(
                lambda program=program: execute(program, {}, {}, Thread(limits=Limits(steps=_MANY, memory=_MANY))),
                1,
            )
        texts[name] = source
        seconds[name] = least(
            lambda program=program: execute(program, {}, {}, Thread(limits=Limits(steps=_MANY, memory=_MANY))),
            runs,
        )
    answer = subprocess.run(
        [go, "-c", _GO, str(runs)], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    theirs = json.loads(answer.stdout)
    print("starlark-go's own | mlbuild ms | starlark-go ms | ratio")
    logarithms = []
    for name in texts:
        if name not in theirs:
            print(f"{name} | {seconds[name] * 1e3:.1f} | |")
            continue
        logarithms.append(math.log(seconds[name] / theirs[name][0]))
        print(
            f"{name} | {seconds[name] * 1e3:.1f} | {theirs[name][0] * 1e3:.1f} | {seconds[name] / theirs[name][0]:.2f}"
        )
    print(f"geometric mean | | | {math.exp(sum(logarithms) / len(logarithms)):.2f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--go", help="an interpreter that has starlark-go")
    options.add_argument("--file", type=Path, help="starlark-go's `starlark/testdata/benchmark.star`, for `--only own`")
    options.add_argument("--only", default="start,parse,load,macros")
    chosen = options.parse_args()
    print(
        f"{datetime.date.today()}, N = {chosen.runs}, Python {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    )
    for name, measure in (("start", starting), ("parse", parsing), ("load", loading)):
        if name in chosen.only:
            measure(chosen.runs)
    if "macros" in chosen.only:
        macros(chosen.runs, chosen.go)
    if "own" in chosen.only:
        their_own(chosen.file, chosen.runs, chosen.go)


if __name__ == "__main__":
    main()
