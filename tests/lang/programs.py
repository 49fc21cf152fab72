"""Random Starlark programs. Most of what they do is well typed, some of it is not: `main()` returns or fails."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

KINDS = ("int", "str", "bool", "float", "list", "tuple", "dict", "none")
_WORDS = (
    "",
    "a",
    "b",
    "ab",
    "ba",
    "abc",
    "aXbX",
    "Hello",
    "a-b-c",
    " pad ",
    "x=1",
    "%",
    "{}",
    "1",
    "42",
    "-7",
    "a\\nb",
    "'q'",
)
_METHODS = ("upper", "lower", "strip", "lstrip", "rstrip", "capitalize", "title")
_TESTS = ("isalnum", "isalpha", "isdigit", "islower", "isupper", "isspace")


class Program:
    """Writes one program from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._names: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self._functions: list[tuple[str, list[str], str]] = []
        self._count = 0
        self._lines: list[str] = []

    def text(self) -> str:
        for _ in range(self._random.randrange(3)):
            self._function()
        self._lines.append("def main():")
        self._lines.append("    out = []")
        self._block(1, self._random.randrange(3, 9), loops=0)
        self._lines.append("    return out")
        self._lines.append("")
        self._lines.append("result = repr(main())")
        return "\n".join(self._lines) + "\n"

    # Statements
    def _function(self) -> None:
        name = f"f{len(self._functions)}"
        kinds = [self._kind() for _ in range(self._random.randrange(4))]
        returned = self._kind()
        saved, self._names = self._names, {kind: [] for kind in KINDS}
        parameters = []
        for position, kind in enumerate(kinds):
            default = (
                f" = {self._expression(kind, 1)}" if self._random.random() < 0.3 or "=" in "".join(parameters) else ""
            )
            parameters.append(f"p{position}{default}")
        for position, kind in enumerate(kinds):
            self._names[kind].append(f"p{position}")
        rest = self._random.choice(("", "", "", "*rest", "**named"))
        if rest:
            parameters.append(rest)
            self._names["tuple" if rest == "*rest" else "dict"].append(rest.lstrip("*"))
        self._lines.append(f"def {name}({', '.join(parameters)}):")
        self._lines.append("    out = []")
        self._block(1, self._random.randrange(1, 4), loops=0)
        self._lines.append(f"    return {self._expression(returned, 2)}")
        self._lines.append("")
        self._names = saved
        self._functions.append((name, kinds, returned))

    def _block(self, depth: int, count: int, loops: int) -> None:
        known = {kind: list(names) for kind, names in self._names.items()}
        for _ in range(count):
            self._statement(depth, loops)
        if depth > 1:
            self._names = known
        elif not count:
            self._line(depth, "pass")

    def _line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _statement(self, depth: int, loops: int) -> None:
        choice = self._random.random()
        if choice < 0.35:
            self._assign(depth)
        elif choice < 0.5:
            self._line(depth, f"out.append({self._expression(self._kind(), 3)})")
        elif choice < 0.62:
            self._mutate(depth)
        elif choice < 0.72 and depth < 4:
            self._line(depth, f"if {self._expression(self._random.choice(('bool', self._kind())), 2)}:")
            self._block(depth + 1, self._random.randrange(1, 3), loops)
            if self._random.random() < 0.3:
                self._line(depth, f"elif {self._expression('bool', 2)}:")
                self._block(depth + 1, 1, loops)
            if self._random.random() < 0.4:
                self._line(depth, "else:")
                self._block(depth + 1, self._random.randrange(1, 3), loops)
        elif choice < 0.84 and depth < 4 and loops < 2:
            self._loop(depth, loops)
        elif choice < 0.88:
            first, second = self._fresh(), self._fresh()
            kinds = self._kind(), self._kind()
            pair = f"{self._expression(kinds[0], 2)}, {self._expression(kinds[1], 2)}"
            self._line(depth, f"{first}, {second} = {self._random.choice((pair, f'[{pair}]', f'({pair})'))}")
            self._names[kinds[0]].append(first)
            self._names[kinds[1]].append(second)
        elif choice < 0.94:
            kind = self._random.choice(("int", "str", "list", "float"))
            if names := self._names[kind]:
                operator = {"int": "+= -= *= |= &= ^=", "str": "+= *=", "list": "+= *=", "float": "+= -= *="}
                chosen = self._random.choice(operator[kind].split())
                right = "int" if (chosen == "*=" and kind != "float") else kind
                self._line(depth, f"{self._random.choice(names)} {chosen} {self._small(right)}")
        else:
            self._line(depth, f"out.append(({self._expression(self._kind(), 2)}, {self._expression(self._kind(), 2)}))")

    def _assign(self, depth: int) -> None:
        kind = self._kind()
        name = self._fresh()
        value = self._expression(kind, 3)
        self._line(depth, f"{name} = {value}")
        self._names[kind].append(name)

    def _mutate(self, depth: int) -> None:
        if self._random.random() < 0.6 and self._names["list"]:
            name = self._random.choice(self._names["list"])
            value = self._expression("int", 1)
            self._line(
                depth,
                self._random.choice(
                    (
                        f"{name}.append({value})",
                        f"{name}.extend({self._expression('list', 1)})",
                        f"{name}.insert({self._small('int')}, {value})",
                        f"if {name}: out.append({name}.pop())",
                        f"{name}.append({value})",
                        f"{name}.clear()",
                        f"{name}.insert(0, {value})",
                        f"{name}.extend([{value}, {value}])",
                        f"if {value} in {name}: {name}.remove({value})",
                        f"if len({name}) > 1: {name}[{self._random.choice((0, 1, -1))}] = {value}",
                        f"if {value} in {name}: out.append({name}.index({value}))",
                    )
                ),
            )
        elif self._names["dict"]:
            name = self._random.choice(self._names["dict"])
            key = self._expression(self._random.choice(("str", "str", "int", "tuple")), 1)
            self._line(
                depth,
                self._random.choice(
                    (
                        f"{name}[{key}] = {self._expression('int', 1)}",
                        f"{name}.update({self._expression('dict', 1)})",
                        f"out.append({name}.pop({key}, None))",
                        f"out.append({name}.setdefault({key}, {self._small('int')}))",
                        f"out.append({name}.get({key}))",
                        f"if {name}: out.append({name}.popitem())",
                    )
                ),
            )

    def _loop(self, depth: int, loops: int) -> None:
        name = self._fresh()
        iterable, kind = self._random.choice(
            (
                (self._expression("list", 1), "int"),
                (f"range({self._random.randrange(5)})", "int"),
                (f"sorted({self._expression('dict', 1)}, key = str)", "str"),
                (f"{self._expression('str', 1)}.elems()", "str"),
            )
        )
        known = {each: list(names) for each, names in self._names.items()}
        self._line(depth, f"for {name} in {iterable}:")
        self._names[kind].append(name)
        self._block(depth + 1, self._random.randrange(1, 4), loops + 1)
        if self._random.random() < 0.3:
            self._line(depth + 1, f"if {self._expression('bool', 1)}:")
            self._line(depth + 2, self._random.choice(("break", "continue")))
        self._names = known

    def _fresh(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _kind(self) -> str:
        return self._random.choices(KINDS, (6, 5, 3, 2, 4, 2, 3, 1))[0]

    # Expressions
    def _expression(self, kind: str, depth: int) -> str:
        if self._random.random() < 0.004:
            kind = self._kind()
        if self._names[kind] and self._random.random() < 0.35:
            return self._random.choice(self._names[kind])
        if depth <= 0:
            return self._small(kind)
        fitting = [each for each in self._functions if each[2] == kind]
        if fitting and self._random.random() < 0.2:
            name, kinds, _ = self._random.choice(fitting)
            arguments = [self._expression(each, depth - 1) for each in kinds]
            if arguments and self._random.random() < 0.2:
                arguments[-1] = f"p{len(arguments) - 1} = {arguments[-1]}"
            if self._random.random() < 0.01:
                arguments = arguments[:-1]
            return f"{name}({', '.join(arguments)})"
        if self._random.random() < 0.08:
            then, test, other = (self._expression(each, depth - 1) for each in (kind, "bool", kind))
            return f"({then} if {test} else {other})"
        make: Callable[[int], str] = getattr(self, f"_{kind}")
        return make(depth - 1)

    def _small(self, kind: str) -> str:
        pick: Sequence[str] = {
            "int": ("0", "1", "2", "-1", "3", "7", "10", "-13", "255", "1000003", "0x1F", "0o17"),
            "str": [f'"{word}"' for word in _WORDS],
            "bool": ("True", "False"),
            "float": ("0.0", "0.5", "1.0", "-2.5", "3.25", "100.0"),
            "list": ("[]", "[1]", "[3, 1, 2]", "[0, 0]", "[-1, 5, 5, 2]"),
            "tuple": ("()", "(1,)", "(1, 2)", '("a", 1)'),
            "dict": ("{}", '{"a": 1}', '{"b": 2, "a": 1}', "{1: 2}", "{(1, 2): 3}"),
            "none": ("None",),
        }[kind]
        return self._random.choice(pick)

    def _int(self, depth: int) -> str:
        a, b = self._expression("int", depth), self._expression("int", depth)
        text, items = self._expression("str", depth), self._expression("list", depth)
        if self._random.random() < 0.04:
            return self._random.choice(
                (
                    f"({a} {self._random.choice(('//', '%'))} {b})",
                    f"int({text})",
                    f"{items}[{self._small('int')}]",
                    f"{text}.index({self._small('str')})",
                    f"min({items})",
                    f"ord({text})",
                )
            )
        return self._random.choice(
            (
                f"({a} {self._random.choice(('+', '-', '*', '&', '|', '^'))} {b})",
                f"({a} {self._random.choice(('//', '%'))} {self._random.choice((3, -2, 7))})",
                f"({a} + {b})",
                f"(-{a})",
                f"(~{a})",
                f"({a} << {self._random.randrange(6)})",
                f"({a} >> {self._random.randrange(6)})",
                f"len({self._random.choice((text, items, self._expression('dict', depth), self._expression('tuple', depth)))})",
                f"int({self._expression('float', depth)})",
                f'int("{self._random.randrange(-99, 999)}")',
                f"({items} or [4])[{self._random.choice((0, -1))}]",
                f"{text}.{self._random.choice(('find', 'rfind', 'count'))}({self._small('str')})",
                f"max({a}, {b})",
                f"min({items} or [2])",
                f"abs({a})",
                f"{self._expression('dict', depth)}.get({self._small('str')}, {b})",
                f"hash({self._small('str')}) * 0 + {a}",
                f"(lambda x, y = {b}: x - y)({a})",
            )
        )

    def _str(self, depth: int) -> str:
        a, b = self._expression("str", depth), self._expression("str", depth)
        value = self._expression(self._random.choice(("int", "str", "bool", "list", "tuple", "dict", "none")), depth)
        return self._random.choice(
            (
                f"({a} + {b})",
                f"({a} * {self._random.randrange(-1, 4)})",
                f"{a}.{self._random.choice(_METHODS)}()",
                f"{a}.replace({self._small('str')}, {b})",
                f"{a}.{self._random.choice(('removeprefix', 'removesuffix'))}({self._small('str')})",
                f"{a}[{self._slice()}]",
                f'({a} + "z")[{self._random.choice((0, -1))}]',
                f"{self._small('str')}.join([{a}, {b}])",
                f"str({value})",
                f"repr({value})",
                f"type({value})",
                f'("%s|%r" % ({value}, {b}))',
                f'("%d" % {self._expression("int", depth)})',
                f'("<%s>" % {a})',
                f'"{{}}-{{}}".format({value}, {b})',
                f'"{{1}}{{0}}{{k}}".format({a}, {b}, k = {value})',
                f"{a}.partition({self._mark()})[{self._random.randrange(3)}]",
            )
        )

    def _bool(self, depth: int) -> str:
        kind = self._random.choice(("int", "str", "list", "tuple", "float", "bool"))
        a, b = self._expression(kind, depth), self._expression(kind, depth)
        other = self._expression(self._kind(), depth)
        x, y = self._expression("bool", depth), self._expression("bool", depth)
        return self._random.choice(
            (
                f"({a} {self._random.choice(('==', '!='))} {other})",
                f"({a} {self._random.choice(('<', '<=', '>', '>=', '==', '!='))} {b})",
                f"(not {other})",
                f"({x} and {y})",
                f"({x} or {y})",
                f"bool({other})",
                f"({self._expression('int', depth)} {self._random.choice(('in', 'not in'))} {self._expression('list', depth)})",
                f"({self._expression('str', depth)} in {self._expression('str', depth)})",
                f"({self._expression('str', depth)} in {self._expression('dict', depth)})",
                f"any({self._expression('list', depth)})",
                f"all({self._expression('list', depth)})",
                f"{self._expression('str', depth)}.{self._random.choice(_TESTS)}()",
                f"{self._expression('str', depth)}.{self._random.choice(('startswith', 'endswith'))}({self._small('str')})",
            )
        )

    def _float(self, depth: int) -> str:
        a, b = self._expression("float", depth), self._expression("float", depth)
        return self._random.choice(
            (
                f"({a} {self._random.choice(('+', '-', '+'))} {b})",
                f"({a} * {self._small('float')})",
                f"({self._expression('int', depth)} / 4)",
                f"({a} // {self._random.choice((0.5, -2.5, 3.25))})",
                f"({a} % {self._random.choice((0.5, -2.5, 3.25))})",
                f"float({self._expression('int', depth)})",
                f"({a} + {self._small('int')})",
                f"(-{a})",
            )
        )

    def _list(self, depth: int) -> str:
        a, b = self._expression("list", depth), self._expression("list", depth)
        inner = self._fresh()
        self._names["int"].append(inner)
        body, test = self._expression("int", depth), self._expression("bool", depth)
        self._names["int"].remove(inner)
        return self._random.choice(
            (
                f"[{self._expression('int', depth)}, {self._expression('int', depth)}]",
                f"({a} + {b})",
                f"({a} * {self._random.randrange(-1, 3)})",
                f"{a}[{self._slice()}]",
                f"[{body} for {inner} in {a}]",
                f"[{body} for {inner} in {a} if {test}]",
                f"[{body} for {inner} in range({self._random.randrange(4)}) for _ in {a}]",
                f"list(range({self._small('int')}, {self._random.randrange(9)}))",
                f"sorted({a})",
                f"sorted({a}, reverse = True)",
                f"sorted({a}, key = lambda x: -x)",
                f"reversed({a})",
                f"list({a})",
                f"{self._expression('dict', depth)}.values()",
                f"[x for x, _ in enumerate({self._expression('str', depth)}.split({self._random.choice(('', self._mark()))}))]",
            )
        )

    def _tuple(self, depth: int) -> str:
        kinds = self._kind(), self._kind()
        return self._random.choice(
            (
                f"({self._expression(kinds[0], depth)}, {self._expression(kinds[1], depth)})",
                f"tuple({self._expression('list', depth)})",
                f"({self._expression('tuple', depth)} + {self._expression('tuple', depth)})",
                f"({self._expression('tuple', depth)} * 2)",
                f"{self._expression('tuple', depth)}[{self._slice()}]",
                f"tuple(zip({self._expression('list', depth)}, {self._expression('list', depth)}))",
                f"tuple({self._expression('str', depth)}.split({self._mark()}))",
                f"tuple({self._expression('dict', depth)}.items())",
                f"{self._expression('str', depth)}.partition({self._mark()})",
                f"tuple({self._expression('str', depth)}.splitlines())",
                f"tuple(enumerate({self._expression('list', depth)}, {self._random.randrange(3)}))",
            )
        )

    def _dict(self, depth: int) -> str:
        inner = self._fresh()
        return self._random.choice(
            (
                f"{{{self._expression('str', depth)}: {self._expression('int', depth)}}}",
                f"dict({self._expression('dict', depth)})",
                f"dict(a = {self._expression('int', depth)}, b = {self._expression('int', depth)})",
                f"dict([({self._expression('str', depth)}, {self._expression('int', depth)})])",
                f"{{str({inner}): {inner} for {inner} in {self._expression('list', depth)}}}",
                f"({self._expression('dict', depth)} | {self._expression('dict', depth)})",
            )
        )

    def _none(self, depth: int) -> str:
        return self._random.choice(("None", "[].append(1)", f'{self._expression("dict", depth)}.get("zz")'))

    def _mark(self) -> str:
        return self._random.choice(('"a"', '"-"', '"ab"', '" "', '"="'))

    def _slice(self) -> str:
        bounds = [self._random.choice(("", "", str(self._random.randrange(-4, 5)))) for _ in range(2)]
        step = self._random.choice(("",) * 20 + (":2", ":-1", ":-2") * 3 + (":0",))
        return ":".join(bounds) + step
