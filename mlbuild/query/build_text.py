"""`--output=build`: targets as the text of a BUILD file that would make them, macros expanded, each `select` as written.

The text is formatted, and read again it makes the same targets: labels are written out, orders are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlbuild.lang import repr_value
from mlbuild.lang.formatting import Kind, format_text, keeps_order
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
    return iter(format_text(text + "\n", Kind.BUILD).splitlines() if targets else ())


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
        statements.append((_label(graph.file(rule.module)), symbol))
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
        lines += _kept_in_order(rule, name, _lists(value))
        lines.append(f"{name} = {_value(value, is_output)},")
    if target.tags:
        lines += _kept_in_order(rule, "tags", (target.tags,))
        lines.append(f"tags = {_value(target.tags, False)},")
    if target.visibility != PRIVATE:
        lines += _kept_in_order(rule, "visibility", (target.visibility,))
        lines.append(f"visibility = {_value(target.visibility, False)},")
    return "\n".join([*lines, ")"])


def _kept_in_order(rule: str, attribute: str, lists: Sequence[Sequence[object]]) -> Iterator[str]:
    """The comment without which formatting would sort a list, or take out what is in it twice."""
    shown = [[_label(each) if isinstance(each, Label) else str(each) for each in values] for values in lists]
    if not all(keeps_order(rule, attribute, values) for values in shown):
        has_twice = any(len(set(values)) < len(values) for values in shown)
        yield "# buildifier: leave-alone" if has_twice else "# do not sort"


def _lists(value: object) -> tuple[Sequence[object], ...]:
    if isinstance(value, Select):
        parts = [part.cases if isinstance(part, Selector) else (("", part),) for part in value.parts]
        return tuple(each for cases in parts for _, each in cases if isinstance(each, (list, tuple)))
    return (value,) if isinstance(value, (list, tuple)) else ()


def _value(value: object, is_output: bool) -> str:
    match value:
        case Label():
            return repr_value(value.name if is_output else _label(value))
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


def _label(label: Label) -> str:
    return label.short
