"""Signatures, attributes and targets as Markdown, for hovers and completions."""

from __future__ import annotations

from mlbuild.lang.runtime.signatures import value
from mlbuild.language_server.signature import Parameter, Signature, kind_doc, kind_words
from mlbuild.terms import Label, Target


def of_signature(shown: Signature) -> str:
    """How it is called, what it does, and what each argument is."""
    parts = [f"```starlark\n{heading(shown)}\n```"]
    if shown.doc:
        parts.append(shown.doc)
    if shown.is_test:
        parts.append("A test: `mlbuild test` runs it, `mlbuild build` does not.")
    told = [each for each in shown.parameters if each.doc or each.attribute is not None]
    if told:
        parts.append("\n".join(f"* {_in_short(each)}" for each in told))
    return "\n\n".join(parts)


def heading(shown: Signature) -> str:
    """`(rule) genrule(name, outs, cmd, ...)`: of rules and macros what is mandatory."""
    if shown.what in ("rule", "macro"):
        words = [each.name for each in shown.parameters if each.is_mandatory]
        words += ["..."] if len(words) < len(shown.parameters) else []
        return f"({shown.what}) {shown.name}({', '.join(words)})"
    return f"({shown.what}) {shown.name}({', '.join(call_words(shown))})"


def call_words(shown: Signature) -> list[str]:
    """Each parameter as one would write it, in the order of the signature."""
    words: list[str] = []
    named = False
    for index, each in enumerate(shown.parameters):
        if index and shown.parameters[index - 1].is_placed and not each.is_placed:
            words.append("/")
        if each.is_named and not named and not any(other.stars == "*" for other in shown.parameters[:index]):
            words.append("*")
            named = True
        words.append(str(each))
    return words + (["/"] if shown.parameters and shown.parameters[-1].is_placed else [])


def of_parameter(shown: Parameter, function: str) -> str:
    """One argument by itself."""
    kind = kind_words(shown)
    parts = [
        f"```starlark\n({'attribute' if shown.attribute else 'argument'}) {shown.name}{': ' + kind if kind else ''}\n```"
    ]
    parts.append(shown.doc)
    attribute = shown.attribute
    if attribute is not None and attribute.values:
        parts.append("One of " + ", ".join(f"`{value(each)}`" for each in attribute.values) + ".")
    if attribute is not None and attribute.providers:
        groups = [" and ".join(f"`{each.name}`" for each in group) for group in attribute.providers]
        parts.append(f"Its targets have {' or '.join(groups)}.")
    if kind_doc(shown.kind):
        parts.append(f"`{shown.kind}`: {kind_doc(shown.kind)}.")
    parts.append(
        f"Mandatory in `{function}`." if shown.is_mandatory else f"Of `{function}`; default: `{shown.default}`."
    )
    return "\n\n".join(each for each in parts if each)


def of_target(target: Target, label: Label) -> str:
    """What a label names, and where that is."""
    parts = [f"```starlark\n({target.rule.name}) {target.label}\n```"]
    if label.name != target.label.name:
        is_part = label.name.startswith(target.label.name + ".") and label not in dict(target.implicit_outputs).values()
        what = f"The part `{label.name[len(target.label.name) + 1 :]}`" if is_part else f"The output `{label.name}`"
        parts.append(f"{what} of `{target.label.short}`.")
    if target.rule.doc:
        parts.append(target.rule.doc)
    parts.append(f"Defined at {target.location}.")
    if target.frames:
        parts.append(f"Made by `{target.frames[0].function}`, at {target.frames[-1].location}.")
    return "\n\n".join(parts)


def _in_short(shown: Parameter) -> str:
    kind = kind_words(shown)
    about = f" ({kind}{', mandatory' if shown.is_mandatory else ''})" if kind else ""
    return f"`{shown.stars}{shown.name}`{about}" + (f": {shown.doc}" if shown.doc else "")
