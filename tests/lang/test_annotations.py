"""Type annotations stand exactly where buildifier takes them, and decide nothing."""

from __future__ import annotations

from mlbuild.lang import MODULE, StarlarkError, Thread, call, compile_program, execute
from mlbuild.lang.formatting import Kind
from tests.lang.formatting.buildifier import Buildifier

TAKEN = (
    "def f(x: int): pass",
    "def f(x: int = 1) -> str: pass",
    "def f(*args: str): pass",
    "def f(**kwargs: dict[str, int]): pass",
    "def f(*, y: list[str] = []): pass",
    "def f(x: int | None, y: 'int'): pass",
    "def f(x: foo.bar[1, 2]): pass",
    "def f(x: a if b else c) -> a if b else c: pass",
    "def f(x: (int, str), y: [int], z: {'a': int}): pass",
    "def f(x: lambda: 3, y: lambda a: a = 1): pass",
    "def f(x: Callable[[int], str]): pass",
    "def f(x: not int, y: int or str, z: -1, w: a == b): pass",
    "def f(x: int(3), y: [i for i in k]): pass",
    "def f(x: int,): pass",
    "def f() -> list[int] | None: pass",
    "def f() -> (\n    int\n): pass",
    "x = lambda a: a",
    "x = lambda: {1: 2}",
)
REFUSED = (
    "y: str = 1",
    "y: int",
    "def f(*: int, y): pass",
    "def f(x: dict[str, ...]): pass",
    "def f(x:): pass",
    "def f(x: int, str): -> pass",
    "def f() -> : pass",
    "def f() -> int, str: pass",
    "def f() - > int: pass",
    "def f[T](x: T): pass",
    "type X = int",
    "x = lambda a: int: a",
    "x = lambda a -> int: a",
    "f(x: int)",
    "for x: int in []: pass",
    "x = [a for a: int in []]",
)


def is_taken(source: str) -> bool:
    try:
        compile_program(source.encode(), "a.bzl", MODULE, frozenset())
    except StarlarkError:
        return False
    return True


def test_annotations_are_taken_at_the_parameters_and_the_result_of_a_def_only() -> None:
    assert [source for source in TAKEN if not is_taken(source)] == []
    assert [source for source in REFUSED if is_taken(source)] == []


def test_buildifier_takes_the_same(buildifier: Buildifier) -> None:
    said = buildifier.formatted([source + "\n" for source in (*TAKEN, *REFUSED)], Kind.BZL)
    assert [source for source, text in zip((*TAKEN, *REFUSED), said, strict=True) if text is not None] == list(TAKEN)


def test_an_annotation_is_never_evaluated_and_changes_no_call() -> None:
    source = b"def f(x: fail('never'), y: 1 // 0 = 2, *a: nowhere, **k: [][0]) -> {}['k']: return (x, y, a, k)"
    found = execute(compile_program(source, "a.bzl", MODULE, frozenset()), {}, {}, Thread())
    assert call(Thread(), found["f"], [1], {"z": 3}) == (1, 2, (), {"z": 3})
    assert call(Thread(), found["f"], ["text", None, 5]) == ("text", None, (5,), {})
