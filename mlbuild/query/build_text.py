"""`--output=build`: targets as the text of a BUILD file that would make them, macros expanded, each `select` as written.

The text is formatted, and read again it makes the same targets: labels are written out, orders are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.lang import repr_value
from mlbuild.lang.formatting import Kind, format_text, keeps_order, keeps_strings
from mlbuild.loading.attributes import OUTPUT_KINDS
from mlbuild.query.graph import TargetGraph
from mlbuild.terms import Label, Rule, Select, Selector, Target

PRIVATE = ("//visibility:private",)


def build_lines(answer: Sequence[Label], graph: TargetGraph) -> Iterator[str]:
    """The rules of the answer, after the loads that they need; files have no such form."""
    entries = [graph.entry(label) for label in answer]
    targets = [entry for entry in entries if isinstance(entry, Target)]
    loads, names = _loads([target.rule for target in targets], graph)
    text = "\n\n".join(
        ["\n".join(loads)] * bool(loads) + [_target(target, names[id(target.rule)]) for target in targets]
    )
    if not targets:
        return iter(())
    try:
        return iter(format_text(text + "\n", Kind.BUILD).splitlines())
    except UserError:
        raise fail(
            "too-deep",
            "a value in the answer is nested too deeply to be written in a BUILD file",
            hint="`--output=streamed_jsonproto` shows it",
            exit_code=ExitCode.QUERY_FAILED,
        ) from None


def _loads(rules: Sequence[Rule], graph: TargetGraph) -> tuple[list[str], Mapping[int, str]]:
    """The load statements, and by which name each rule is called then."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    loaded: list[Rule] = []
    for rule in {id(rule): rule for rule in rules}.values():
        if graph.is_global(rule) or rule.name.startswith("_"):  # what is private cannot be loaded
            names[id(rule)] = rule.name
            taken.add(rule.name)
        else:
            loaded.append(rule)
    statements: list[tuple[str, str]] = []
    for rule in sorted(loaded, key=lambda each: (each.module, each.name)):
        name, count = rule.name, 1
        while name in taken:
            count += 1
            name = f"{rule.name}_{count}"
        taken.add(name)
        names[id(rule)] = name
        symbol = repr_value(rule.name) if name == rule.name else f"{name} = {repr_value(rule.name)}"
        statements.append((graph.file(rule.module).short, symbol))
    modules = dict.fromkeys(module for module, _ in sorted(statements))
    return [
        f"load({repr_value(module)}, {', '.join(symbol for each, symbol in statements if each == module)})"
        for module in modules
    ], names


def _target(target: Target, rule: str) -> str:
    lines = [f"# {target.location}"]
    lines += [f"#   {frame.location}: in {frame.function}" for frame in target.frames]
    lines.append(f"{rule}(")
    lines.append(f"name = {repr_value(target.label.name)},")
    for name, value in target.attributes.items():
        is_output = target.rule.attributes[name].kind in OUTPUT_KINDS
        lines += _comment(rule, name, value, is_output)
        lines.append(f"{name} = {_value(value, is_output)},")
    if target.tags:
        lines += _comment(rule, "tags", target.tags, False)
        lines.append(f"tags = {_value(target.tags, False)},")
    if target.visibility != PRIVATE:
        lines += _comment(rule, "visibility", target.visibility, False)
        lines.append(f"visibility = {_value(target.visibility, False)},")
    return "\n".join([*lines, ")"])


def _comment(rule: str, attribute: str, value: object, is_output: bool) -> Iterator[str]:
    """The comment without which formatting would sort a list, take out what is in it twice, or shorten what is a label."""
    groups = [[_text(each, is_output) for each in values] for values in _groups(value)]
    if not all(keeps_strings(rule, attribute, values) for values in groups):
        yield "# buildifier: leave-alone"
    elif not all(keeps_order(rule, attribute, values) for values in groups):
        has_twice = any(len(set(values)) < len(values) for values in groups)
        yield "# buildifier: leave-alone" if has_twice else "# do not sort"


def _groups(value: object) -> Iterator[Sequence[object]]:
    """The values that formatting may take for strings to sort or to shorten: lists, and what stands alone."""
    if isinstance(value, Select):
        for part in value.parts:
            for each in (case for _, case in part.cases) if isinstance(part, Selector) else (part,):
                yield from _groups(each)
    elif isinstance(value, (list, tuple)):
        yield value
    else:
        yield (value,)


def _text(value: object, is_output: bool) -> str:
    if isinstance(value, Label):
        return value.name if is_output else value.short
    return str(value) if isinstance(value, (str, int, float)) else ""


def _value(value: object, is_output: bool) -> str:
    match value:
        case Label():
            return repr_value(_text(value, is_output))
        case Select():
            return f" {value.operator} ".join(_part(part, is_output) for part in value.parts)
        case list() | tuple():
            items = [_value(each, is_output) for each in value]
            return "[" + (items[0] if len(items) == 1 else "".join(f"\n{each}," for each in items)) + "]"
        case dict():
            return "{" + "".join(f"\n{_value(key, is_output)}: {_value(each, is_output)}," for key, each in value.items()) + "}"  # fmt: skip
    return repr_value(value)


def _part(part: object, is_output: bool) -> str:
    if not isinstance(part, Selector):
        return _value(part, is_output)
    cases = "".join(f"\n{_value(condition, False)}: {_value(each, is_output)}," for condition, each in part.cases)
    if part.no_match_error:
        return f"select(\n{{{cases}}},\nno_match_error = {repr_value(part.no_match_error)},\n)"
    return f"select({{{cases}\n}})"
