"""Query expressions: from text to trees, with errors that point at the place."""

from __future__ import annotations

import re
import warnings

from mlbuild.diagnostics import Diagnostic, ExitCode, Location, UserError, did_you_mean
from mlbuild.query.expression import Call, Expression, Let, Operation, Operator, Pattern, SetOf, Variable
from mlbuild.query.functions import FUNCTIONS, Function, Kind, Parameter
from mlbuild.query.scan import BadToken, Token, tokens
from mlbuild.records import record

OPERATORS = {
    "+": Operator.UNION,
    "union": Operator.UNION,
    "-": Operator.EXCEPT,
    "except": Operator.EXCEPT,
    "^": Operator.INTERSECT,
    "intersect": Operator.INTERSECT,
}
MAX_DEPTH = 100
"""How deep expressions may nest; chains of operators are not nested."""

Value = Expression | str | int | re.Pattern[str]


@record
class Source:
    """The text of an expression, and what its places are called in errors."""

    text: str
    path: str = "query"

    def diagnostic(self, code: str, message: str, offset: int, hint: str | None = None) -> Diagnostic:
        """What is wrong at a place of the text."""
        location, line = self.place(offset)
        return Diagnostic(code, message, location, line, hint)

    def place(self, offset: int) -> tuple[Location, str]:
        """Line and column of an offset, and the text of that line."""
        before = self.text[:offset]
        line = self.text[before.rfind("\n") + 1 :].partition("\n")[0]
        return Location(self.path, before.count("\n") + 1, offset - before.rfind("\n")), line


def parse(source: Source) -> Expression:
    """The tree of an expression. Raises UserError (exit code 2)."""
    try:
        parser = _Parser(source, tokens(source.text))
    except BadToken as bad:
        raise _failed(source.diagnostic("query-syntax", str(bad), bad.offset, bad.hint)) from None
    return parser.whole()


def _failed(diagnostic: Diagnostic) -> UserError:
    return UserError(diagnostic, exit_code=ExitCode.COMMAND_LINE)


class _Parser:
    def __init__(self, source: Source, found: tuple[Token, ...]) -> None:
        self._source = source
        self._tokens = found
        self._position = 0
        self._depth = 0
        self._bound: list[str] = []

    def whole(self) -> Expression:
        expression = self._expression()
        if self._next.kind != "end":
            hint = "write `+`, `-` or `^` between expressions; quote words that hold other characters"
            if self._next.kind == ")":
                hint = "take it away, or open it before"
            raise self._unexpected("after the end of the expression", hint)
        return expression

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._next
        self._position += 1
        return token

    def _expect(self, kind: str, where: str, hint: str | None = None) -> Token:
        if self._next.kind != kind:
            raise self._unexpected(f"where `{kind}` must follow {where}", hint)
        return self._take()

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error("query-too-deep", f"the expression nests deeper than {MAX_DEPTH}", self._next,
                              "bind parts of it to names side by side, or ask several questions")  # fmt: skip
        first = self._primary()
        rest: list[tuple[Operator, Expression]] = []
        while (operator := OPERATORS.get(self._next.kind)) is not None:
            self._take()
            rest.append((operator, self._primary()))
        self._depth -= 1
        return Operation(first, tuple(rest), first.offset) if rest else first

    def _primary(self) -> Expression:
        token = self._next
        if token.kind == "(":
            self._take()
            inner = self._expression()
            self._expect(")", "the expression in parentheses")
            return inner
        if token.kind == "let":
            return self._let()
        if token.kind == "set":
            return self._set()
        if token.kind != "word":
            raise self._unexpected("where an expression must begin")
        self._take()
        if self._next.kind == "(":
            return self._call(token)
        if token.text.startswith("$"):
            return self._variable(token)
        return Pattern(token.text, token.offset)

    def _variable(self, token: Token) -> Variable:
        name = token.text[1:]
        if name not in self._bound:
            close = did_you_mean(name, self._bound)
            hint = f"did you mean `${close}`?" if close else f"bind it: `let {name or 'x'} = ... in ...`"
            raise self._error("unknown-variable", f"no `let` around it binds `{token.text}`", token, hint)
        return Variable(name, token.offset)

    def _let(self) -> Let:
        start = self._take()
        name = self._expect("word", "`let`", "write `let x = ... in ...`")
        if not (name.text.isascii() and name.text.isidentifier()):
            raise self._error("query-syntax", f"`{name.text}` cannot be the name of a variable", name,
                              "use letters, digits and `_`; `$` comes where it is used")  # fmt: skip
        self._expect("=", f"`let {name.text}`")
        value = self._expression()
        self._expect("in", "the variable's value", "write `let x = ... in ...`")
        self._bound.append(name.text)
        body = self._expression()
        self._bound.pop()
        return Let(name.text, value, body, start.offset)

    def _set(self) -> SetOf:
        start = self._take()
        self._expect("(", "`set`", "write `set(//a //b)`; the word itself is written in quotes")
        patterns: list[Pattern] = []
        while self._next.kind == "word":
            token = self._take()
            patterns.append(Pattern(token.text, token.offset))
        hint = "patterns in `set(...)` stand side by side, without commas" if self._next.kind == "," else None
        self._expect(")", "the patterns of `set`", hint)
        return SetOf(tuple(patterns), start.offset)

    def _call(self, name: Token) -> Call:
        function = FUNCTIONS.get(name.text)
        if function is None:
            close = did_you_mean(name.text, FUNCTIONS)
            hint = f"did you mean `{close}`?" if close else "there are " + ", ".join(f"`{each}`" for each in FUNCTIONS)
            raise self._error("unknown-function", f"there is no function `{name.text}`", name, hint)
        self._take()
        arguments: list[Value] = []
        for parameter in function.parameters:
            if parameter.is_optional and self._next.kind != ",":
                break
            if arguments:
                self._expect(",", f"argument {len(arguments)} of `{function.name}`", _usage(function))
            arguments.append(self._argument(function, parameter))
        self._expect(")", f"the arguments of `{function.name}`", _usage(function))
        return Call(function, tuple(arguments), name.offset)

    def _argument(self, function: Function, parameter: Parameter) -> Value:
        if parameter.kind is Kind.EXPRESSION:
            return self._expression()
        token = self._next
        if token.kind != "word":
            raise self._unexpected(f"where `{parameter.name}` of `{function.name}` must stand", _usage(function))
        self._take()
        if parameter.kind is Kind.WORD:
            return token.text
        if parameter.kind is Kind.NUMBER:
            if not (token.text.isascii() and token.text.isdigit() and len(token.text) < 10):
                raise self._error("query-syntax", f"`{parameter.name}` of `{function.name}` is a number, not `{token.text}`",
                                  token, _usage(function))  # fmt: skip
            return int(token.text)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what a later Python may read otherwise
                return re.compile(token.text)
        except (re.error, RecursionError, OverflowError) as bad:
            raise self._error("bad-regex", f"`{token.text}` is no regular expression: {bad}", token,
                              "put `\\` before a character that stands for itself") from None  # fmt: skip

    def _unexpected(self, where: str, hint: str | None = None) -> UserError:
        token = self._next
        what = "the expression ends" if token.kind == "end" else f"`{token.text}` stands"
        return self._error("query-syntax", f"{what} {where}", token, hint)

    def _error(self, code: str, message: str, token: Token, hint: str | None) -> UserError:
        return _failed(self._source.diagnostic(code, message, token.offset, hint))


def _usage(function: Function) -> str:
    return f"write `{function.signature}`"
