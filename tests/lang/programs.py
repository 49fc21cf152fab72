"""Random Starlark programs. Most of what they do is well typed, some of it is not: they have a `result`, or they fail."""

from __future__ import annotations

import random
import re
from functools import lru_cache

KINDS = {"int": 6, "str": 6, "bool": 3, "float": 2, "list": 4, "strs": 3, "tuple": 2, "dict": 3, "none": 1}
"""What values there are: `list` is of integers, `strs` of strings, `dict` mostly from strings to integers."""

_SMALL = {
    "int": "0¦1¦2¦-1¦3¦7¦10¦-13¦255¦1000003¦0x1F¦0o17¦0b101¦2147483648¦-9223372036854775808¦1180591620717411303424¦5¦-2¦4",
    "str": r"""""¦"a"¦"b"¦"ab"¦"ba"¦"abc"¦"aXbX"¦"Hello"¦"a-b-c"¦" pad "¦"x=1"¦"%"¦"{{}}"¦"1"¦"42"¦"-7"¦"a\nb"¦"'q'"¦"A b c"¦"aaa"¦'"'¦"t\t"¦"0x1f"¦"\\"¦"a,b,,c"¦r"\d"¦"abcabc"¦"Title Case"¦"z\x00" """,
    "bool": "True¦False",
    "float": "0.0¦0.5¦1.0¦-2.5¦3.25¦100.0¦1e3¦-0.0¦.5¦2.¦1e-3",
    "list": "[]¦[1]¦[3, 1, 2]¦[0, 0]¦[-1, 5, 5, 2]¦[2, 2, 1, 1]¦[1 << 40, -1]",
    "strs": '[]¦["a"]¦["b", "a"]¦["ab", "c", "a"]¦["x", "", "x"]¦["Bb", "aa", "C"]',
    "tuple": '()¦(1,)¦(1, 2)¦("a", 1)¦(3, (1, 2))¦(None, "b", 0)¦(2, 1, 3)',
    "dict": '{{}}¦{{"a": 1}}¦{{"b": 2, "a": 1}}¦{{1: 2}}¦{{(1, 2): 3}}¦{{"a": 1, "b": 2, "c": 3}}¦{{None: 0, 2: 1}}',
    "none": "None",
    "mark": '"a"¦"-"¦"ab"¦" "¦"="¦","¦"b"',
    "at": "0¦1¦-1¦2¦-2¦3",
    "few": "-1¦0¦1¦2¦3",
    "bound": "¦¦¦0¦1¦-1¦2¦-3¦4¦10¦-10",
    "step": "¦¦¦¦¦¦¦¦¦¦:¦:1¦:2¦:-1¦:-2¦:0",
    "divisor": "3¦-2¦7¦10¦-7¦1¦1000003¦4294967296¦0",
    "compare": "==¦!=¦<¦<=¦>¦>=",
    "strip": '""¦"a"¦"ab "¦"-cb"',
    "spec": "%s¦%r¦%d¦%x¦%o¦%X¦%%%s¦%s%%",
}

_EXPRESSIONS = {
    "int": """({int} + {int})¦({int} - {int})¦({int} * {int})¦({int} & {int})¦({int} | {int})¦({int} ^ {int})¦({int} // {divisor})¦({int} % {divisor})¦({int} + {int})
        (-{int})¦(+{int})¦(~{int})¦({int} << {few})¦({int} >> {few})¦({int} << 70)¦({int} >> 33)¦len({str})¦len({list})¦len({dict})¦len({tuple})¦len({strs})
        int({float})¦int("{few}7")¦int("ff", 16)¦int("-0x1A", 0)¦int("z", 36)¦int({str})¦int({str}, 10)¦int({bool})¦({list} or [4])[{at}]¦{list}[{at}]¦({tuple} + (1, 2, 3))[{at}]
        {str}.find({mark})¦{str}.rfind({mark})¦{str}.count({mark})¦{str}.index({mark})¦{str}.find({mark}, {at})¦{str}.rfind({mark}, {at}, {few})¦{str}.rindex({mark})¦({str} + "ab").index("ab")
        max({int}, {int})¦min({int}, {int}, {int})¦min({list} or [2])¦max({list})¦max({strs} or ["a"], key = len) and 1¦abs({int})¦ord({str})¦ord(({str} + "k")[0])¦{dict}.get({str}, {int})¦{dict}.get("a", 0)¦dict({dict}).pop("a", {int})
        (lambda x, y = {int}: x - y)({int})¦(lambda *x: len(x))(*{list})¦(lambda **k: len(k))(a = 1, b = {int})¦hash({str}) * 0 + {int}¦{dict}["a"]¦{list}.index({int})¦[{int}, {int}][{few}]
        [x for x in {list} if x > {int}][:1] == [] and 3 or 4¦({int} if {bool} else {int})¦({int} or {int})¦({int} and {int})¦len([0 for x in {list} for y in range(x % 3)])¦min({list} + [1], key = lambda x: -x)¦sum_of({list})""",
    "str": """({str} + {str})¦({str} * {few})¦({few} * {str})¦{str}.upper()¦{str}.lower()¦{str}.strip()¦{str}.lstrip()¦{str}.rstrip()¦{str}.capitalize()¦{str}.title()¦{str}.strip({strip})¦{str}.lstrip({strip})¦{str}.rstrip({strip})
        {str}.replace({mark}, {str})¦{str}.replace("", "-")¦{str}.replace({mark}, "_", {few})¦{str}.removeprefix({mark})¦{str}.removesuffix({mark})¦{str}[{bound}:{bound}{step}]¦({str} + "z")[{at}]¦{str}[{at}]
        {mark}.join({strs})¦"".join([{str}, {str}])¦{mark}.join(sorted({strs}))¦{mark}.join([str(x) for x in {list}])¦str({plain})¦repr({plain})¦type({any})¦chr(97 + {few})¦str({strs})¦repr({dict})
        ("%s|%r" % ({plain}, {str}))¦("%d" % {int})¦("<%s>" % {str})¦("%s" % ({tuple},))¦("%s %s" % {tuple})¦("{spec}" % {int})¦("%s" % {plain})¦("%d%%" % {int})¦("%s%s%s" % ({int}, {str}, {none}))¦("%r" % {strs})¦("%x-%o" % ({int}, {int}))
        "{{}}-{{}}".format({plain}, {str})¦"{{1}}{{0}}{{k}}".format({str}, {str}, k = {plain})¦"{{}}".format({int})¦"{{!r}}".format({str})¦"{{{{{{}}}}}}".format({int})¦"{{0}}{{0}}".format({str})¦"{{a!s}}".format(a = {strs})¦"{{}}{{}}".format({int})
        {str}.partition({mark})[{at}]¦{str}.rpartition({mark})[{at}]¦({strs} or ["q"])[{at}]¦(lambda x: x + x)({str})¦({str} if {bool} else {str})¦({str} or {str})¦({str} and {str})¦sorted({str}.elems())[0]¦max({str}, {str})¦min({strs} or ["m"])""",
    "bool": """({int} {compare} {int})¦({str} {compare} {str})¦({list} {compare} {list})¦({tuple} == {tuple})¦({float} {compare} {float})¦({int} {compare} {float})¦({strs} {compare} {strs})¦({dict} == {dict})¦({any} == {any})¦({any} != {any})¦({bool} < {bool})
        (not {any})¦({bool} and {bool})¦({bool} or {bool})¦bool({any})¦({int} in {list})¦({int} not in {list})¦({str} in {strs})¦({str} in {str})¦({str} in {dict})¦({int} in range({few}, {int}))¦({any} in {tuple})¦any({list})¦all({list})¦all({strs})¦any([{bool}, {bool}])
        {str}.isalnum()¦{str}.isalpha()¦{str}.isdigit()¦{str}.islower()¦{str}.isupper()¦{str}.isspace()¦{str}.istitle()¦{str}.startswith({mark})¦{str}.endswith({mark})¦{str}.startswith(({mark}, {mark}))¦{str}.endswith({mark}, {at})
        hasattr({str}, "upper")¦hasattr({list}, "nothing")¦({tuple} < {tuple})¦({bool} == {int})¦({bool} if {bool} else {bool})¦(type({any}) == "int")¦([{plain}] == [{plain}])¦({int} == {str})¦({none} == {any})""",
    "float": """({float} + {float})¦({float} - {float})¦({float} * {float})¦({int} / 4)¦({float} // 0.5)¦({float} // -2.5)¦({float} % 3.25)¦({float} % -0.5)¦float({few})¦({float} + {few})¦({few} * {float})¦(-{float})¦abs({float})¦max({float}, {float})¦({float} / {few})¦float("1.5")¦float("-2e2")¦(1 / 8)¦({int} + 0.5)""",
    "list": """[{int}, {int}]¦({list} + {list})¦({list} * {few})¦({few} * {list})¦{list}[{bound}:{bound}{step}]¦[x for x in {list}]¦[{int} for _ in {list}]¦[x + {int} for x in {list} if {bool}]¦[x * y for x in {list} for y in range({few})]¦[x for x in {list} if x % 2 == 0]
        [[y for y in {list}][-1] if x else x for x in {list} + [0]]¦[(lambda y: y + x)(1) for x in {list}]¦list(range({few}, {int} % 9))¦list(range({few}))¦list(range(10, 0, {at}))¦list(range(7)[{bound}:{bound}{step}])¦sorted({list})¦sorted({list}, reverse = True)¦sorted({list}, key = lambda x: -x)¦sorted({list}, key = lambda x: x % 3)¦sorted({list}, key = abs, reverse = True)
        reversed({list})¦list(reversed(range({few})))¦list({list})¦list({dict}.values())¦[i for i, _ in enumerate({strs})]¦[len(x) for x in {strs}]¦[i + x for i, x in enumerate({list}, {few})]¦[a - b for a, b in zip({list}, {list})]¦[a for (a, b), c in zip([(1, 2)] * 2, {list})]¦list({tuple})¦[ord(c) for c in {str}.elems()]¦[x for x in range({few}) for x in range(x)]¦[f(x) for x in {list} for f in [lambda v: v + x]]¦[x for x in {strs}]""",
    "strs": """[{str}, {str}]¦({strs} + {strs})¦{str}.split({mark})¦{str}.split()¦{str}.split({mark}, {few})¦{str}.rsplit({mark}, {few})¦{str}.rsplit(None, {few})¦{str}.splitlines()¦{str}.splitlines(True)¦sorted({strs})¦sorted({strs}, key = len)¦sorted({strs}, key = lambda s: s.lower(), reverse = True)¦list({str}.elems())¦[s.upper() for s in {strs}]¦[str(x) for x in {list}]¦["%d:%s" % (i, s) for i, s in enumerate({strs})]¦{strs}[{bound}:{bound}{step}]¦reversed({strs})¦[k for k in {{"q": 1, {str}: 2}}]¦[type(x) for x in {tuple}]¦list({str}.partition({mark}))¦[s for s in {strs} if s in {str}]¦sorted([k for k in {dict} if type(k) == "string"])¦dict(zip({strs}, {list})).keys()""",
    "tuple": """({any}, {any})¦({plain},)¦tuple({list})¦tuple({strs})¦({tuple} + {tuple})¦({tuple} * {few})¦{tuple}[{bound}:{bound}{step}]¦tuple(zip({list}, {strs}))¦tuple({dict}.items())¦{str}.partition({mark})¦tuple(enumerate({strs}, {few}))¦(lambda *a: a)({int}, *{list})¦tuple(sorted({list}))¦tuple([(x, x * 2) for x in {list}])¦tuple({dict})¦tuple(zip({list}, {strs}, {tuple}))¦tuple(reversed({tuple}))¦{tuple}""",
    "dict": """{{{str}: {int}}}¦{{{str}: {int}, "q" + {str}: {int}}}¦dict({dict})¦dict(a = {int}, b = {int})¦dict([({str}, {int})])¦dict({dict}, a = {int})¦dict([["a", 1]], b = 2)¦{{str(x): x for x in {list}}}¦{{s: len(s) for s in {strs}}}¦({dict} | {dict})¦dict(zip({strs}, {list}))¦{{x: x for x in {list}}}¦{{(x, s): x for x in {list} for s in {strs}}}¦(lambda **k: k)(a = {int}, **{{"c": {int}}})¦{{v: k for k, v in {{"a": 1, "b": {int}}}.items()}}¦dict(enumerate({strs}))""",
    "none": """None¦[].append({int})¦{dict}.get("zz")¦{{}}.update({dict})¦[2].extend({list})¦{list}.clear()¦(lambda: None)()""",
}

_STATEMENTS = """out.append({any})¦out.append(({any}, {any}))¦{=int} = {int}¦{=str} = {str}¦{=list} = {list}¦{=strs} = {strs}¦{=dict} = {dict}¦{=tuple} = {tuple}¦{=bool} = {bool}¦{=float} = {float}¦{=none} = {none}¦{=int} = {int}¦{=str} = {str}
{=int}, {=str} = {int}, {str}¦({=int}, {=list}) = [{int}, {list}]¦{=int}, ({=str}, {=bool}) = {int}, ({str}, {bool})¦[{=int}, {=int}] = {list}¦{=str}, {=str}, {=str} = {str}.partition({mark})¦{=list} = {list!}
{int!} += {int}¦{int!} -= {int}¦{int!} *= {few}¦{int!} //= {divisor}¦{int!} %= {divisor}¦{int!} |= {int}¦{int!} &= {int}¦{int!} ^= {int}¦{int!} <<= {few}¦{int!} >>= 1¦{str!} += {str}¦{str!} *= {few}¦{str!} %= {int}¦{list!} += {list}¦{list!} *= {few}¦{list!} += {tuple}¦{strs!} += {strs}¦{tuple!} += {tuple}¦{float!} += {float}¦{float!} *= 2¦{dict!} |= {dict}
{list!}.append({int})¦{list!}.extend({list})¦{list!}.insert({at}, {int})¦out.append({list!}.pop())¦out.append({list!}.pop({at}))¦{list!}.remove({int})¦{list!}.clear()¦{list!}[{at}] = {int}¦{list!}[{at}] += {int}¦{strs!}.append({str})¦{strs!}.extend({str}.split({mark}))¦{list!}.extend(range({few}))¦{list!}.extend({list!})
{dict!}[{str}] = {int}¦{dict!}[{any}] = {int}¦{dict!}.update({dict})¦{dict!}.update([({str}, {int})])¦{dict!}.update(a = {int})¦out.append({dict!}.pop({str}, None))¦out.append({dict!}.setdefault({str}, {int}))¦out.append({dict!}.popitem())¦{dict!}["a"] += {int}¦{dict!}.clear()¦out.append(sorted({dict!}.keys(), key = str))¦out.append({dict!}.items())¦{dict!}.pop({str})
pass¦out.append([{any}, {any}])¦out.append({{{str}: {any}}})¦out.append(str({plain}))¦{int}¦{list!}.append({int}) if {bool} else None¦out.append(state)¦state[0] += {int}¦out.append(bump({int}))¦out.append(nested({list}, {int}))"""

_LOOPS = """for {=int} in {list}:¦for {=int} in range({few}):¦for {=str} in {strs}:¦for {=str} in {str}.elems():¦for {=int}, {=str} in enumerate({strs}):¦for {=str}, {=int} in {dict}.items():¦for {=str} in sorted({dict}, key = str):¦for {=int}, {=int} in zip({list}, {list}):¦for {=int}, ({=int}, {=str}) in [(1, (2, "a"))] * {few}:¦for {=int} in {list!}:¦for {=str} in {dict!}:¦for {=int} in reversed({list!}):¦for {=tuple} in {dict!}.items():"""
_CHANGES = """{it}.append({int})¦{it}.clear()¦{it}[0] = {int}¦{it}["a"] = {int}¦{it}.update(a = 1)¦{it}.pop()¦{it} += [{int}]¦{it}.insert(0, 1)¦out.append({it}[0])¦out.append([x for x in {it}])¦list({it}).append(1)¦{it} = {it} + {it}¦{it}.extend([])"""

_SETS = """set({list})¦set({strs})¦(set({list}) | set({list}))¦(set({list}) & set({list}))¦(set({list}) - set({list}))¦(set({list}) ^ set({list}))¦set({list}).union({list})¦set({list}).intersection({list})¦set({list}).difference({list})¦set({list}).symmetric_difference({list})¦set([x % 3 for x in {list}])"""
_OF_SETS = """len({set})¦({int} in {set})¦sorted({set})¦list({set})¦({set} == {set})¦{set}.issubset({list})¦{set}.issuperset({list})¦bool({set})¦[x for x in {set}]¦{set}¦tuple({set})"""


def _parts(form: str) -> list[str]:
    """A template taken apart: text and names of what goes in, in turns."""
    pieces = re.split(r"\{([=a-z]+!?)\}", form)
    return [
        piece.replace("{{", "{").replace("}}", "}") if index % 2 == 0 else piece for index, piece in enumerate(pieces)
    ]


def _templates(text: str) -> list[list[str]]:
    return [_parts(each.strip()) for each in re.split(r"¦|\n", text) if each.strip()]


@lru_cache(maxsize=1)
def _forms() -> dict[str, list[list[str]]]:
    made = {kind: _templates(text) for kind, text in _EXPRESSIONS.items()}
    made.update({"+statement": _templates(_STATEMENTS), "+loop": _templates(_LOOPS), "+change": _templates(_CHANGES)})
    made.update({"set": _templates(_SETS), "+set": _templates(_OF_SETS)})
    return made


_CHOICES = {
    kind: [
        each.strip(" ") if kind != "bound" else each for each in text.replace("{{", "{").replace("}}", "}").split("¦")
    ]
    for kind, text in _SMALL.items()
}
_NAMES, _WEIGHTS = list(KINDS), list(KINDS.values())

_START = """def sum_of(numbers):
    total = 0
    for number in numbers:
        total += number
    return total
"""
_NESTED = """    state = [0]
    def bump(by):
        state[0] += by
        return state[0]
    def nested(items, by):
        def inner(x):
            return x * by + len(items)
        return [inner(x) for x in items]
"""


class Program:
    """Writes one program from a seed. It may have a library that it loads, and sets, which not all implementations have."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._names: dict[str, list[str]] = {kind: [] for kind in KINDS}
        self._count = 0
        self._lines: list[str] = []
        self._oddness = self._random.choice((0.0, 0.0, 0.004, 0.03))
        self.has_sets = self._random.random() < 0.06
        self.library: str | None = None
        self._text = self._write()

    def text(self) -> str:
        """The program: its `result` is what it has done, as text."""
        return self._text

    def _write(self) -> str:
        if self._random.random() < 0.15:
            self._write_library()
        if self._random.random() < 0.4:
            self._function()
        self._lines.append("def main():\n    out = []")
        self._lines.append(_NESTED.rstrip("\n"))
        for kind in ("int", "str", "list", "dict", "strs"):
            self._line(1, f"{self._new(kind)} = {self._small(kind)}")
        for _ in range(self._random.choice((2, 3, 4, 6, 9))):
            self._statement(1, 0)
        if self.has_sets:
            for _ in range(3):
                self._line(1, f"out.append({self._fill('+set', 2)})")
        if self.library is not None:
            self._use_library()
        self._lines.append("    return out\n\nresult = repr(main())\n")
        start = 'load("lib.star", "LIST", "DICT", "TUPLE", "change", "read")\n' if self.library is not None else ""
        return start + _START + "\n".join(self._lines)

    def _write_library(self) -> None:
        """What is loaded is frozen: with all that it holds, also through a function."""
        self.library = (
            f"LIST = [{self._small('list')}, {self._small('dict')}, 1]\nDICT = {{'a': {self._small('list')}, 'b': 2}}\n"
            f"TUPLE = ({self._small('list')}, {self._small('str')})\n_hidden = {self._small('list')}\n"
            "def change(x = []):\n    x.append(1)\n    return x\n"
            "def read():\n    return len(LIST) + len(_hidden)\n"
        )

    def _use_library(self) -> None:
        uses = (
            "LIST[2]", "LIST + [1]", "LIST.append(2)", "LIST[0].append(1)", "DICT.get('a')", "DICT['a'].append(1)", "DICT.pop('b')", "list(LIST)",
            "dict(DICT)", "TUPLE[0].append(2)", "TUPLE", "change()", "change([0])", "read()", "[x for x in LIST]", "DICT | {'c': 1}", "sorted(DICT)",
            "LIST.extend([])", "DICT.update(c = 1)", "DICT.setdefault('a', 1)", "list(LIST[0])", "LIST == [1]", "DICT.items()", "LIST.clear()", "TUPLE[0] + [1]",
        )  # fmt: skip
        for _ in range(3):
            self._line(
                1,
                f"out.append({self._random.choice(uses if self._random.random() < 0.4 else uses[:2] + uses[7:9] + uses[10:11])})",
            )

    # Statements
    def _line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _new(self, kind: str) -> str:
        self._count += 1
        name = f"v{self._count}"
        self._names[kind].append(name)
        return name

    def _function(self) -> None:
        saved = self._names
        self._names = {kind: [] for kind in KINDS}
        kinds = [self._kind() for _ in range(self._random.randrange(3))]
        parameters = []
        for kind in kinds:
            default = (
                f" = {self._small(kind)}"
                if self._random.random() < 0.4 or (parameters and "=" in parameters[-1])
                else ""
            )
            parameters.append(self._new(kind) + default)
        rest = self._random.choice(("", "", "*rest", "**named", "*, only = 1", "*rest, only"))
        self._lines.append(f"def helper({', '.join([*parameters, *([rest] if rest else [])])}):\n    out = []")
        self._lines.append(_NESTED.rstrip("\n"))
        self._line(1, f"{self._new('list')} = {self._small('list')}")
        for _ in range(2):
            self._statement(1, 0)
        self._lines.append(f"    return {self._expression(self._kind(), 2)}\n")
        self._names = saved
        arguments = [self._small(kind) for kind in kinds]
        choice = self._random.random()
        if choice < 0.2:
            arguments.append("only = 2")
        elif choice < 0.3 and arguments:
            arguments.pop()
        elif choice < 0.4:
            arguments.append("*[1]")
        elif choice < 0.5:
            arguments.append("**{'k': 1}")
        self._call = f"out.append(helper({', '.join(arguments)}))"

    _call = "pass"

    def _statement(self, depth: int, loops: int) -> None:
        choice = self._random.random()
        if choice < 0.66 or depth > 3:
            self._line(depth, self._fill("+statement", 2))
        elif choice < 0.78:
            self._line(depth, f"if {self._expression('bool' if self._random.random() < 0.7 else self._kind(), 2)}:")
            self._block(depth + 1, loops)
            if self._random.random() < 0.3:
                self._line(depth, f"elif {self._expression('bool', 2)}:")
                self._block(depth + 1, loops)
            if self._random.random() < 0.4:
                self._line(depth, "else:")
                self._block(depth + 1, loops)
        elif choice < 0.95 and loops < 2:
            self._loop(depth, loops)
        else:
            self._line(depth, self._call)

    def _block(self, depth: int, loops: int) -> None:
        known = {kind: list(names) for kind, names in self._names.items()}
        for _ in range(self._random.randrange(1, 3)):
            self._statement(depth, loops)
        if loops and self._random.random() < 0.2:
            self._line(depth, self._random.choice(("break", "continue")))
        if self._random.random() < 0.03:
            self._line(depth, "return out")
        self._names = known

    def _loop(self, depth: int, loops: int) -> None:
        known = {kind: list(names) for kind, names in self._names.items()}
        if self._random.random() < 0.12 and (self._names["list"] or self._names["dict"]):
            name = self._random.choice(self._names["list"] + self._names["dict"])
            self._line(depth, f"for x in {name}:")
            self._line(depth + 1, self._fill("+change", 1).replace("{it}", name))
            if self._random.random() < 0.5:
                self._line(depth + 1, "break")
        else:
            self._line(depth, self._fill("+loop", 1))
            self._block(depth + 1, loops + 1)
        self._names = known

    # Expressions
    def _kind(self) -> str:
        return self._random.choices(_NAMES, _WEIGHTS)[0]

    def _small(self, kind: str) -> str:
        return self._random.choice(_CHOICES[kind])

    def _fill(self, kind: str, depth: int) -> str:
        parts = self._random.choice(_forms()[kind])
        while any(hole[-1] == "!" and not self._names[hole[:-1]] for hole in parts[1::2]):
            parts = self._random.choice(_forms()[kind])
        out = [parts[0]]
        later: list[tuple[str, str]] = []
        for index in range(1, len(parts), 2):
            hole = parts[index]
            if hole == "it":
                out.append("{it}")
            elif hole[0] == "=":
                self._count += 1
                later.append((hole[1:], f"v{self._count}"))
                out.append(f"v{self._count}")
            elif hole[-1] == "!":
                out.append(self._random.choice(self._names[hole[:-1]]))
            else:
                out.append(self._expression(hole, depth - 1))
            out.append(parts[index + 1])
        for known, name in later:  # what is bound is known only after what it is bound to
            self._names[known].append(name)
        return "".join(out)

    def _expression(self, kind: str, depth: int) -> str:
        if kind == "any":
            kind = self._kind()
        elif kind == "plain":  # no floats: each implementation writes them in its own way
            kind = self._random.choice(("int", "str", "bool", "list", "tuple", "dict", "none", "strs"))
            if kind in ("tuple", "list", "dict"):
                return self._small(kind)
        if kind in KINDS:
            if self._random.random() < self._oddness:
                kind = self._kind()
            if self._names[kind] and self._random.random() < 0.4:
                return self._random.choice(self._names[kind])
        if depth <= 0 or kind not in _forms():
            return self._small(kind if kind in _CHOICES else "int")
        return self._fill(kind, depth)
