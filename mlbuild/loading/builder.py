"""A package under evaluation: what its BUILD file has said so far. The one mutable thing of loading a package."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlbuild.diagnostics import Diagnostic, UserError, did_you_mean
from mlbuild.lang import Thread, type_name
from mlbuild.loading.attributes import OUTPUT_KINDS, BadValue, convert
from mlbuild.loading.folders import Questions
from mlbuild.loading.lines import SourceLines
from mlbuild.loading.own_frames import at_own_frame
from mlbuild.loading.package import Package, folder_of, package_text
from mlbuild.records import replace
from mlbuild.terms import BadLabel, Label, Rule, Select, Target

PUBLIC = "//visibility:public"
PRIVATE = "//visibility:private"
COMMON = ("name", "visibility", "tags")
"""Attributes of every rule; the rest are the rule's own."""


class PackageBuilder:
    """The context of the thread that evaluates a BUILD file."""

    def __init__(
        self,
        repository: str,
        name: str,
        folders: Questions,
        label_in: Callable[[str, str], Label],
        lines: SourceLines,
        workspace_name: str = "",
    ) -> None:
        self.repository = repository
        self.name = name
        self.folder = folder_of(repository, name)
        self.folders = folders
        self.label_in = label_in
        self.default_visibility: tuple[str, ...] = (PRIVATE,)
        self.targets: dict[str, Target] = {}
        self.outputs: dict[str, Target] = {}
        self.exported: dict[str, None] = {}
        self.errors: list[Diagnostic] = []
        self._lines = lines
        self._workspace_name = workspace_name
        self._labels: dict[str, Label] = {}

    def __str__(self) -> str:
        return package_text(self.repository, self.name)

    def finish(self) -> Package:
        """The package. Raises UserError with everything that was wrong in it."""
        if self.errors:
            raise UserError(*self.errors)
        return Package(self.repository, self.name, self.targets, self.outputs, tuple(self.exported))

    def resolve(self, text: str) -> Label:
        """A label as written in this package. Raises BadLabel."""
        label = self._labels.get(text)
        if label is None:
            label = Label.parse(text, repository=self.repository, package=self.name)
            if label.repository and label.repository == self._workspace_name:
                label = Label("", label.package, label.name)
            self._labels[text] = label
        return label

    def add(self, thread: Thread, rule: Rule, given: Mapping[str, object]) -> None:
        """Makes a target. What is wrong with it is kept, so that one evaluation tells all errors of a BUILD file."""
        try:
            self._add(thread, rule, given)
        except UserError as error:
            self.errors.extend(self._placed(thread, each) for each in error.diagnostics)

    def _add(self, thread: Thread, rule: Rule, given: Mapping[str, object]) -> None:
        label = self._label(thread, rule, given.get("name"))
        values: dict[str, object] = {}
        visibility = self.default_visibility
        tags: tuple[str, ...] = ()
        attributes = rule.attributes
        for name, value in given.items():
            attribute = attributes.get(name)
            if attribute is not None and not name.startswith("_"):
                if value is None:
                    continue
                try:
                    values[name] = convert(attribute, value, self.resolve)
                except BadValue as error:
                    message = f"attribute `{name}` of `{label.short}`: {error}"
                    raise thread.error("bad-attribute", message, _hint_for(name, value, str(error))) from None
            elif name not in COMMON:
                raise _unknown_attribute(thread, rule, name)
            elif name == "visibility" and value is not None:
                visibility = self.visibility(thread, value)
            elif name == "tags" and value is not None:
                tags = strings(thread, "tags", value)
        for name, attribute in attributes.items():
            if attribute.is_mandatory and name not in values:
                raise thread.error(
                    "missing-attribute",
                    f"`{label.short}` needs the attribute `{name}` of `{rule.name}`",
                    f"`{name}`: {attribute.doc}" if attribute.doc else f"add `{name} = ...`",
                )
        frames = thread.frames()
        implicit = tuple(
            (key, label.sibling(_implicit_output(thread, rule, template, label, values)))
            for key, template in rule.outputs.items()
        )
        target = Target(label, rule, values, frames[0].location, visibility, frames[1:], tags, implicit)
        self._claim_name(thread, target)
        self.targets[label.name] = target
        for name, attribute in attributes.items():
            if attribute.kind in OUTPUT_KINDS:
                value = values.get(name, attribute.default)
                for output in value if isinstance(value, (list, tuple)) else (value,):
                    if isinstance(output, Label):
                        self._claim_output(thread, target, output.name)
        for _, output in implicit:
            self._claim_output(thread, target, output.name)

    def visibility(self, thread: Thread, value: object) -> tuple[str, ...]:
        """Checked and made absolute: `//visibility:...`, `//p:__pkg__`, `//p:__subpackages__`."""
        entries: list[str] = []
        for text in strings(thread, "visibility", value):
            if text in (PUBLIC, PRIVATE):
                entries.append(text)
                continue
            try:
                label = self.resolve(text)
            except BadLabel as error:
                raise thread.error("bad-visibility", f"attribute `visibility`: {error}") from None
            if label.name not in ("__pkg__", "__subpackages__"):
                raise thread.error(
                    "bad-visibility",
                    f"`{text}` is no visibility",
                    f"use `{PUBLIC}`, `{PRIVATE}`, `//package:__pkg__` or `//package:__subpackages__`",
                )
            entries.append(str(label))
        return tuple(entries)

    def _placed(self, thread: Thread, diagnostic: Diagnostic) -> Diagnostic:
        """With the place of the call, which it would have got on its way out of the evaluation."""
        if diagnostic.location is not None:
            return diagnostic
        frames = thread.frames()
        location = frames[-1].location
        placed = replace(
            diagnostic,
            location=location,
            source_line=self._lines.line(location),
            frames=frames if len(frames) > 1 else (),
        )
        return at_own_frame(placed, self._lines)

    def _label(self, thread: Thread, rule: Rule, name: object) -> Label:
        if name is None:
            raise thread.error("missing-name", f"a `{rule.name}` needs a name", 'add `name = "..."`')
        if not isinstance(name, str):
            raise thread.error("bad-name", f"the name of a `{rule.name}` must be a string, got {type_name(name)}")
        try:
            return Label.parse(":" + name, repository=self.repository, package=self.name)
        except BadLabel as error:
            why = "it has a colon" if ":" in name else str(error)
            raise thread.error("bad-name", f"`{name}` cannot be the name of a target: {why}") from None

    def _claim_name(self, thread: Thread, target: Target) -> None:
        name = target.label.name
        if (other := self.targets.get(name)) is not None:
            raise _with_first(
                thread.error("duplicate-target", f"package `{self}` has a target `{name}` already"), other
            )
        if (other := self.outputs.get(name)) is not None:
            raise _with_first(
                thread.error("duplicate-target", f"`{name}` is already an output of `{other.label.short}`"), other
            )

    def _claim_output(self, thread: Thread, target: Target, name: str) -> None:
        other = self.outputs.get(name) or self.targets.get(name)
        if other is not None and (other is not target or name in self.outputs):
            owners = f"`{other.label.short}` and `{target.label.short}`" if other is not target else "one target, twice"
            raise _with_first(thread.error("two-owners", f"output `{name}` has two owners: {owners}"), other)
        self.outputs[name] = target


def strings(thread: Thread, name: str, value: object) -> tuple[str, ...]:
    """A list of strings as a tuple, or the error that it is none."""
    if isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise thread.error("bad-attribute", f"`{name}`: expected list of strings, got {type_name(value)}")


def _unknown_attribute(thread: Thread, rule: Rule, name: str) -> UserError:
    known = sorted((*COMMON, *(each for each in rule.attributes if not each.startswith("_"))))
    near = did_you_mean(name, known)
    hint = f"did you mean `{near}`?" if near else "it has " + ", ".join(f"`{each}`" for each in known)
    return thread.error("unknown-attribute", f"`{rule.name}` has no attribute `{name}`", hint)


def _hint_for(name: str, value: object, message: str) -> str | None:
    """What to try where an attribute cannot have the value."""
    if isinstance(value, str) and message.startswith("expected list of "):
        return f'put it into a list: `{name} = ["{value}"]`'
    if isinstance(value, str) and message.startswith("expected int") and value.lstrip("-").isdigit():
        return f"write it without quotes: `{name} = {value}`"
    if isinstance(value, str) and message.startswith("expected bool") and value.lower() in ("true", "false"):
        return f"write it without quotes: `{name} = {value.title()}`"
    if (
        isinstance(value, (list, tuple))
        and len(value) == 1
        and message.startswith(("expected string, got", "expected label, got"))
    ):
        return "take the brackets away: it is one value, and no list"
    if isinstance(value, (int, float)) and message.startswith("expected string, got"):
        return f'write it in quotes: `{name} = "{value}"`'
    return None


def _implicit_output(thread: Thread, rule: Rule, template: str, label: Label, values: Mapping[str, object]) -> str:
    """`%{name}.txt`, with the values of the target's string attributes."""
    name = template.replace("%{name}", label.name)
    for key, attribute in rule.attributes.items():
        value = values.get(key, attribute.default)
        if attribute.kind == "string" and not isinstance(value, Select):
            name = name.replace("%{" + key + "}", str(value))
    if "%{" in name:
        raise thread.error(
            "bad-output", f"output `{template}` of `{rule.name}` names what is no plain string attribute"
        )
    return name


def _with_first(error: UserError, other: Target) -> UserError:
    note = f"the first is at {other.location}"
    return UserError(*(replace(each, notes=(*each.notes, note)) for each in error.diagnostics))
