"""What a fuzzer gives the language: by its number, the bytes of a file, or a series of calls with odd values. Always the same for one number."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import lru_cache
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

from mlbuild.lang import BUILD, JSON, MODULE, STRUCT, UNIVERSE, Dialect, Set, Struct, freeze
from mlbuild.lang.runtime.methods import METHODS
from mlbuild.lang.runtime.names import RUNTIME
from tests.lang.programs import Program

ROOT = Path(__file__).parents[2]

SIGNS = [*"()[]{}:;,.=+-*/%&|^~<>!@?\\\"'#\n\t _$`", "**", "//", "==", "!=", "<<", ">>", "+=", "//=", "<<=", "->", ":="]
LAYOUT = ["\n    ", "\n  ", "\n\t", "\r\n", "\r", "\n\n", "\\\n", '"""', "'''", "# c\n", " ", " "]
ODD = ["\x00", "\ufeff", "\u202e", "\u2028", "\xa0", "é", "\U0001f600", "\x0c", "\x1b[31m", "ſ", "½", "٣"]
WORDS = [
    *("def ", "for ", " in ", "if ", " else ", "elif ", "lambda ", "return ", "load(", "not ", " and ", " or ", "pass", "break", "continue"),
    *("None", "True", "False", "x", "x", "y", "f", "_", "*args", "**kwargs", "__class__", "__builtins__", "·x", "+t1"),
    *("0", "1", "-1", "0x", "0xFf", "0o7", "0b1", "07", "1e9", "1e999", ".5", "1.", "1_0", "1j", "9" * 50, "2147483648"),
    *("b'", "r'", "f'", "rb'", "u'", '"a"', "''", "'%s'", "'{}'", "\\u", "\\x9", "\\N{", "\\777", "\\U00110000"),
    *("while ", "class ", "import ", "yield ", "global ", "try:", "with ", "assert ", "del ", "is ", "async ", "await ", "match "),
]  # fmt: skip
CALLS = [f"{name}(" for name in UNIVERSE] + [f".{name}(" for table in METHODS.values() for name in table]
TOKENS = SIGNS + LAYOUT + ODD + WORDS + CALLS


class File(NamedTuple):
    """A file to compile and, if it can be compiled, to run."""

    source: bytes
    dialect: Dialect


class Calls(NamedTuple):
    """Operators, functions and methods to call, each by its name with values."""

    calls: tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...]


def case(number: int) -> File | Calls:
    """The case with that number."""
    source = random.Random(number)
    kind = source.randrange(20)
    if kind < 6:
        return odd_calls(source)
    dialect = source.choice((MODULE, MODULE, BUILD))
    if kind < 10:
        return File(damaged_bytes(source), dialect)
    if kind < 13:
        text = "".join(source.choices(TOKENS, k=source.randrange(1, 30)))
    elif kind < 16:
        text = mutated(source.choice(pieces()), source)
    elif kind < 18:
        text = nonsense(source)
    elif kind < 19:
        text = mutated("".join(Program(number).text().splitlines(keepends=True)[:12]), source)
    else:
        text = repeated(source)
    return File(text.encode("utf-8", "surrogatepass"), dialect)


@lru_cache(maxsize=1)
def pieces() -> list[str]:
    """Some lines each of the project's own files of the language, and of the language's cases."""
    found = []
    for folder, pattern in (("rules", "*.bzl"), ("examples", "BUILD.ml"), ("tests/lang/cases", "*.star")):
        for path in sorted((ROOT / folder).rglob(pattern)):
            blocks = re.split(r"\n(?=\S)|\n---\n", path.read_text())
            found += [block[:600] for block in blocks if block.strip()]
    return found


def mutated(text: str, source: random.Random) -> str:
    """The text with a few pieces taken out, put in, doubled or moved."""
    parts = re.findall(r"\w+|\s+|[^\w\s]", text)[:120]
    for _ in range(source.randrange(1, 5)):
        at, other = source.randrange(len(parts) + 1), source.randrange(len(parts) + 1)
        choice = source.randrange(5)
        if choice == 0:
            del parts[at : at + source.randrange(1, 4)]
        elif choice == 1:
            parts.insert(at, source.choice(TOKENS))
        elif choice == 2:
            parts[at:at] = parts[other : other + source.randrange(1, 6)]
        elif choice == 3:
            parts[at:at] = [source.choice(TOKENS)] * source.choice((2, 3, 20))
        else:
            parts[at : at + 1] = [source.choice(TOKENS)]
    return "".join(parts)


def damaged_bytes(source: random.Random) -> bytes:
    """A short text with bytes changed, put in or cut off; or any bytes at all."""
    if source.random() < 0.2:
        return source.randbytes(source.randrange(40))
    data = bytearray(source.choice(pieces())[: source.randrange(1, 160)].encode())
    for _ in range(source.randrange(1, 4)):
        at = source.randrange(len(data) + 1)
        choice = source.randrange(5)
        if choice == 0:
            data[at : at + 1] = source.randbytes(source.randrange(3))
        elif choice == 1:
            data[at:at] = source.choice(
                (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5", b"\x00", b"\xef\xbb\xbf", b"\r", b"\t")
            )
        elif choice == 2:
            del data[at:]
        elif choice == 3:
            data = data.replace(b"\n", source.choice((b"\r\n", b"\r", b"\n\n", b"\\\n")))
        elif at < len(data):
            data[at] ^= 1 << source.randrange(8)
    return bytes(data)


def repeated(source: random.Random) -> str:
    """One thing many times: deep, long, or both."""
    times = source.choice((10, 60, 61, 100, 250, 1000))
    opening, inner, closing = source.choice(
        (
            ("[", "", "]"), ("(", "1", ")"), ("{1:", "1", "}"), ("f(", "", ")"), ("-", "1", ""), ("not ", "1", ""), ("lambda: ", "1", ""),
            ("", "1", " + 1"), ("", "x", ".x"), ("", "x", "[0]"), ("", "f", "()"), ("", "'a'", " 'a'"), ("", "1", " if 1 else 1"),
            ("", "1", " < 1"), ("", "1", " or 0"), ("[x for x in ", "[]", "]"), ("x = ", "1", ""), ("", "x", ", x"), ("", "x", "\n"),
            ("", "'%s'", " % 1"), ("", "[1]", " * 2"), ("", "pass", "; pass"), ("(", "", ""), ("", "", ")"), ("load(", "'a'", ")"),
        )
    )  # fmt: skip
    start = source.choice(("", "x = ", "def f(x):\n  return ", "[", "f = lambda *x: x\ny = "))
    return start + opening * times + inner + closing * times


def nonsense(source: random.Random) -> str:
    """Statements by the grammar, without any sense."""
    lines: list[str] = []
    names = ("x", "y", "f", "g", "z")

    def expression(depth: int) -> str:
        if depth <= 0:
            return source.choice(
                (*names, "1", "0", "-3", "2.5", '"a%s"', '"{}"', "[]", "{}", "()", "None", "True", "b'a'", "1 << 40")
            )
        inner = [expression(depth - source.randrange(1, 3)) for _ in range(3)]
        return source.choice(FORMS).format(*inner, name=source.choice(names), call=source.choice(CALLS))

    def block(indent: str, depth: int, inside: bool) -> None:
        for _ in range(source.randrange(1, 4)):
            choice = source.randrange(8 if depth else 4)
            if choice < 3:
                target = source.choice((*names, "x, y", "[x, (y, z)]", "x[0]", "x.a", "f().b", "(x)"))
                operator = source.choice(("=", "=", "=", "+=", "-=", "*=", "|=", "%=", "<<=", "//="))
                lines.append(f"{indent}{target} {operator} {expression(2)}")
            elif choice == 3:
                lines.append(
                    indent
                    + source.choice((expression(3), "pass", "return " + expression(2), "break", "continue", "return"))
                )
            elif choice == 4:
                lines.append(f"{indent}for {source.choice(names)} in {expression(2)}:")
                block(indent + "  ", depth - 1, inside)
            elif choice == 5:
                lines.append(f"{indent}if {expression(2)}:")
                block(indent + "  ", depth - 1, inside)
                lines.append(indent + "else:")
                block(indent + "  ", 0, inside)
            else:
                parameters = source.choice(("", "x", "x, y = 1", "*x", "**x", "x, *, y", "x = [], *y, **z", "x, x"))
                lines.append(f"{indent}def {source.choice(names)}({parameters}):")
                block(indent + "  ", depth - 1, True)

    if source.random() < 0.3:
        block("", 2, False)
        return "\n".join(lines) + "\n"
    lines.append("def main(x, y, z, f, g):")
    block("  ", 2, True)
    given = ", ".join(source.choice(GIVEN) for _ in names)
    return "\n".join(lines) + f"\nresult = main({given})\n"


FORMS = (
    "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} % {1}", "{0} / {1}", "{0} // {1}", "{0} | {1}", "{0} & {1}", "{0} ^ {1}", "{0} << {1}",
    "{0} == {1}", "{0} < {1}", "{0} in {1}", "{0} not in {1}", "{0} and {1}", "{0} or {1}", "not {0}", "-{0}", "~{0}", "({0})",
    "{0} if {1} else {2}", "lambda x: {0}", "lambda *a, **k: {0}", "{0}[{1}]", "{0}[{1}:{2}]", "{0}[::{1}]", "{0}.{name}", "{0}({1}, {2})",
    "{0}(*{1}, **{2})", "{0}({name} = {1})", "[{0}, {1}]", "({0}, {1})", "{{{0}: {1}}}", "[{0} for x in {1}]", "[{0} for x, y in {1} if {2}]",
    "{{{0}: {1} for x in {2}}}", "{call}{0})", "{0}{call}{1})", "{name}({0})", "[x + {0} for x in {1} for y in {2}]", '"%s-%d" % ({0}, {1})',
)  # fmt: skip


GIVEN = (
    "1", "-7", "'a%sb'", "'{}'", "[1, 2]", "[]", "{1: 2}", "{'a': [1]}", "(1, 'a')", "2.5", "None", "True", "len", "repr", "sorted",
    "range(5)", "lambda *a, **k: a", "lambda x: x", "b'ab'", "set([1])", "'abc'.split", "[[1], [2]]", "1 << 100", "dict", "str",
)  # fmt: skip


# Calls
def odd_values(source: random.Random) -> list[Any]:
    """Values of all kinds, some of them in each other."""
    items: list[Any] = [1, "a", None]
    loop: list[Any] = []
    loop.append(loop)
    shared: Any = (1,)
    for _ in range(40):
        shared = (shared, shared)
    deep: Any = []
    for _ in range(source.choice((3, 300, 3000))):
        deep = [deep]
    table: dict[Any, Any] = {"a": 1, "b": [1, 2], (1, 2): "x"}
    return [
        *(0, 1, -1, 2, 7, 255, 1 << 31, -(1 << 63), 10**400, 1 << 130_000, True, False, None),
        *(0.0, -0.0, 1.5, -2.25, 1e308, 5e-324, float("inf"), float("-inf"), float("nan")),
        *("", "a", "abc", "a,b,,c", " \t a ", "%s", "%d%%", "%", "{}", "{0}{1}", "{a}", "{", "é", "\U0001f600x", "\x00", "12", "0x1f", "-7", "nan"),
        *("a" * 5000, "é" * 2000, "ab\n" * 700, "__class__", '{"a": [1, 2.5, null]}', "[" * 600, '"\\ud83d"', "B", "A b-c"),
        *(b"", b"abc", b"\xff\xfe", b"a" * 3000, (), (1,), (1, "a"), (0, 1, 2), ("a", ("b", 1)), shared, range(0), range(5), range(3, -9, -2)),
        *(range(1 << 30), [], items, [3, 1, 2], ["b", "a"], [[1], [2]], [("a", 1), ("b", 2)], loop, deep, list(range(300)), [items, items]),
        *({}, table, {"x": loop}, Set(), Set([1, 2]), Set(["a", (1, 2)]), Struct({"a": 1, "_b": items}), Struct({"s": shared}), JSON, STRUCT),
        *(freeze([1, 2]), freeze({"a": 1}), UNIVERSE["len"], UNIVERSE["repr"], UNIVERSE["fail"], *FUNCTIONS),
    ]  # fmt: skip


def _functions() -> list[Any]:
    from mlbuild.lang import Thread, compile_program, execute

    source = b"def f(*a, **k): return a\ndef g(x, y = 2): return [x, y]\nh = lambda x: -x\ndef bad(x): fail('bad')\n"
    return list(execute(compile_program(source, "f.bzl", MODULE, frozenset()), {}, {}, Thread()).values())


FUNCTIONS = _functions()
_WORDS = (
    "key",
    "reverse",
    "default",
    "sep",
    "start",
    "base",
    "a",
    "x",
    "pairs",
    "__class__",
    "self",
    "maxsplit",
    "indent",
)
OPERATORS = {
    name: function
    for name, function in RUNTIME.items()
    if name in ("+truth", "+index", "+slice", "+set_index", "+unpack", "+star", "+star_star", "+hashed", "+string", "+text", "+decimal", "+callee")
    or not name[1:2].isalpha()
}  # fmt: skip
_METHODS = sorted({name for table in METHODS.values() for name in table})


@lru_cache
def _counts(function: Callable[..., Any]) -> tuple[int, ...]:
    """How many arguments the function takes by their place, and sometimes one more or less."""
    parameters = [
        p for p in signature(function).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    least = sum(p.default is p.empty for p in parameters)
    rest = any(p.kind is p.VAR_POSITIONAL for p in signature(function).parameters.values())
    most = 3 if rest else len(parameters)
    return (*range(least, most + 1),) * 6 + (max(least - 1, 0), most + 1)


def odd_calls(source: random.Random) -> Calls:
    """Some calls with values that fit, and some with values that do not."""
    made = []
    values = odd_values(source)
    pick: Callable[[], Any] = lambda: source.choice(values)  # noqa: E731
    for _ in range(source.randrange(4, 24)):
        choice = source.random()
        args: tuple[Any, ...] = tuple(pick() for _ in range(source.randrange(4)))
        named = {source.choice(_WORDS): pick() for _ in range(source.choice((0,) * 12 + (1, 2)))}
        if choice < 0.3:
            name = source.choice(sorted(OPERATORS))
            count = {"+slice": 4, "+set_index": 3}.get(
                name, 1 if name[1:2].isalpha() and name not in ("+index", "+unpack") else 2
            )
            if name in ("+negative", "+positive", "+invert"):
                count = 1
            operands = [pick() for _ in range(count)]
            if name == "+unpack":
                operands[1] = source.randrange(4)
            made.append((name, tuple(operands), {}))
        elif choice < 0.65:
            receiver = pick()
            table = METHODS.get(type(receiver)) or {}
            name = source.choice(sorted(table)) if table and source.random() < 0.9 else source.choice(_METHODS)
            if name in table:
                args = args[: source.choice(_counts(table[name])) - 1]
            if source.random() < 0.5:
                like = [each for each in values if type(each) is type(receiver)]
                args = tuple(source.choice(like) if source.random() < 0.7 else each for each in args)
            made.append(("." + name, (receiver, *args), named if source.random() < 0.4 else {}))
        elif choice < 0.97:
            name = source.choice(sorted(UNIVERSE))
            made.append((name, args[: source.choice(_counts(UNIVERSE[name].call))], named))
        else:
            made.append(
                (source.choice(("json.encode", "json.decode", "json.indent", "json.encode_indent")), args, named)
            )
    return Calls(tuple(made))
