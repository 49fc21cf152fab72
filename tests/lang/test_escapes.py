"""From a Starlark value nothing of Python can be reached."""

from __future__ import annotations

import pytest

from mlbuild.lang import MODULE, STRUCT, StarlarkError, Thread, builtin, compile_program, execute


class Host:
    """A host value that offers one attribute and one method, and has much more."""

    starlark_type = "host"
    starlark_methods = ("shout",)
    secret = "secret"

    def __call__(self) -> str:
        return "called"

    def __getitem__(self, key: object) -> object:
        return key

    def __iter__(self) -> object:
        return iter([1])

    def __add__(self, other: object) -> object:
        return other

    def __len__(self) -> int:
        return 3

    def starlark_attr(self, name: str) -> object:
        return {"open": 1}[name]

    def shout(self) -> str:
        return "HA"

    def upper(self) -> str:
        return "hidden"


@builtin("identity")
def identity(thread: Thread, value: object) -> object:
    return value


def run(source: str) -> dict[str, object]:
    names = frozenset({"host", "identity", "struct"})
    program = compile_program(source.encode(), "a.bzl", MODULE, names)
    return execute(program, {"host": Host(), "identity": identity, "struct": STRUCT}, {}, Thread())


ATTEMPTS = [
    *(
        f"x = {value}.{name}"
        for value in (
            "[]",
            "''",
            "{}",
            "()",
            "1",
            "None",
            "len",
            "(lambda: 1)",
            "host",
            "struct()",
            "identity",
            "set()",
            "range(3)",
        )
        for name in (
            "__class__",
            "__dict__",
            "__globals__",
            "__subclasses__",
            "__init__",
            "mro",
            "call",
            "fields",
            "secret",
        )
    ),
    *(
        f"x = getattr({value}, '{name}')"
        for value in ("[]", "''", "len", "host", "''.join", "host.shout")
        for name in ("__class__", "__self__", "__func__", "receiver")
    ),
    "x = '{0.__class__}'.format(1)",
    "x = '{0[0]}'.format([1])",
    "x = '{a.__class__}'.format(a = 1)",
    "x = '{!a}'.format(1)",
    "x = '%(a)s' % {'a': 1}",
    *(
        f"x = {name}"
        for name in (
            "__builtins__",
            "__import__",
            "eval",
            "exec",
            "open",
            "compile",
            "globals",
            "vars",
            "object",
            "super",
        )
    ),
    *(
        f"x = {name}('1')"
        for name in ("eval", "exec", "__import__", "open", "id", "input", "memoryview", "classmethod")
    ),
    "x = host()",
    "x = host[0]",
    "x = list(host)",
    "x = [y for y in host]",
    "x = host + 1",
    "x = len(host)",
    "x = 1 in host",
    "x = host.upper()",
    "x = host.secret",
    "host.open = 2",
    "host.secret += 1",
    "x = identity(**{'thread': 1, 'value': 2})",
    "x = identity(1, 2)",
    "x, y = host",
    "x = [].append.__self__",
    "def f(): pass\nx = f.__code__",
    "def f(): pass\nf.x = 1",
    "def f(): pass\nx = f['__globals__']",
    "x = type('A', (), {})",
    "x = type(1)(2)",
    "x = sorted([1], key = type)[0].__class__",
    "x = struct(__class__ = 1).__dict__",
]


@pytest.mark.parametrize("source", ATTEMPTS)
def test_an_attempt_is_refused(source: str) -> None:
    with pytest.raises(StarlarkError):
        run(source)


def test_what_is_offered_can_be_used() -> None:
    source = "x = [host.open, host.shout(), dir(host), hasattr(host, 'secret'), host == host, bool(host), type(host), str(host)]"
    assert run(source)["x"] == [1, "HA", ["shout"], False, True, True, "host", "<host>"]


def test_names_of_python_s_are_plain_names() -> None:
    source = "__class__ = 1\n__import__ = 2\n__file__ = 3\ndef f(self, __class__): return __class__ + self\nx = f(__class__, __import__)"
    assert run(source)["x"] == 3
