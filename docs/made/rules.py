"""The page of rules: the prelude is evaluated, and what BUILD files see of it is written down."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docs.made.markdown import sentence, table
from mlbuild.files.memory import MemorySourceTree
from mlbuild.lang import ProgramCache
from mlbuild.lang.runtime.signatures import value
from mlbuild.loading import Defaults, Loader
from mlbuild.records import replace
from mlbuild.store import MemoryStore
from mlbuild.terms import Attribute, Rule
from mlbuild.testing.workspace import MemoryWorkspace, rule_files

SECTIONS = {
    "Machine learning": ("dataset", "data_contract", "split", "features", "model", "baseline", "evaluation"),
    "Python": ("py_env", "py_library", "py_binary", "py_test", "py_wheel", "wheel_file", "http_file"),
    "Files and configurations": (
        "genrule", "filegroup", "write_file", "alias", "config_setting", "toolchain", "toolchain_type", "nix_toolchain",
    ),
}  # fmt: skip
MACRO_ARGUMENTS = {
    ("data_contract", "columns"): "",
    ("data_contract", "freshness"): "how old the latest value of a time column may be on a given day",
    ("data_contract", "drift"): "how far a column may have moved from another table's",
}
"""What macros take and their rules do not have in that form. An empty text: what the rule says."""
FILLED_IN = "the macro fills it in"


@dataclass(frozen=True)
class Documented:
    """What one name of the prelude is to the writer of a BUILD file."""

    name: str
    doc: str
    rule: Rule
    attributes: tuple[Attribute, ...]


def page(rules: Path) -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines(documented(rules))) + "\n"


def documented(rules: Path) -> Mapping[str, Documented]:
    """Every rule of the prelude, by name."""
    loader = MemoryWorkspace({"WORKSPACE.ml": ""}, rules=rules).loader
    return {name: _document(name, exported, rules) for name, exported in sorted(loader.prelude().items())}


def _document(name: str, exported: object, rules: Path) -> Documented:
    if not inspect.isfunction(exported):
        rule = _rule(exported)
        return Documented(name, rule.doc, rule, tuple(each for each in rule.attributes.values() if _is_public(each)))
    path = next(path for path in rules.glob("*/*.bzl") if f"\ndef {name}(" in path.read_text(encoding="utf-8"))
    text = path.read_text(encoding="utf-8")
    module = re.search(rf'^load\("([^"]+)", _{name} = "{name}"\)', text, re.MULTILINE)
    assert module is not None, f"{path} loads no `_{name}` that it wraps"
    rule = _rule_of(name, module[1], rules)
    return Documented(name, _docstring(text, name), rule, tuple(_of_macro(name, exported, rule)))


def _of_macro(name: str, macro: Callable[..., object], rule: Rule) -> Iterator[Attribute]:
    """The rule's attributes as the macro takes them."""
    named = {key: each for key, each in inspect.signature(macro).parameters.items() if key not in ("name", "kwargs")}
    for key, attribute in rule.attributes.items():
        if not _is_public(attribute) or FILLED_IN in attribute.doc:
            continue
        if "FILE.py:FUNCTION" in attribute.doc or key == "fit":
            yield replace(attribute, kind="function")
        else:
            yield attribute
    for key, parameter in named.items():
        if key not in rule.attributes:
            yield Attribute(key, "json", parameter.default, MACRO_ARGUMENTS[name, key])


def _is_public(attribute: Attribute) -> bool:
    return not attribute.name.startswith("_")


def _rule(exported: object) -> Rule:
    rule = getattr(exported, "rule")  # noqa: B009 (a value of the language: any object)
    assert isinstance(rule, Rule)
    return rule


def _rule_of(name: str, module: str, rules: Path) -> Rule:
    """A rule that BUILD files do not see by name: seen through a prelude that exports it."""
    files: dict[str, bytes | str] = {
        "WORKSPACE.ml": b"",
        "shown.bzl": f'load("{module}", _rule = "{name}")\nshown = _rule\n'.encode(),
    }
    sources = MemorySourceTree(files | rule_files(rules), MemoryStore())
    loader = Loader(sources, ProgramCache(None), None, Defaults(prelude="shown.bzl", toolchains=()))
    return _rule(loader.prelude()["shown"])


def _docstring(text: str, name: str) -> str:
    found = re.search(rf'^def {name}\(.*?\):\n    """(.*?)"""', text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"the macro `{name}` has no docstring"
    return textwrap.dedent("    " + found[1]).strip()


def _lines(known: Mapping[str, Documented]) -> Iterator[str]:
    shown = [name for names in SECTIONS.values() for name in names]
    assert sorted(shown) == sorted(known), f"give these a section: {sorted(set(known) ^ set(shown))}"
    yield "# Rules\n"
    yield "Made from `rules/` by `docs/make_reference.py`. BUILD files see these names without `load`.\n"
    for title, names in SECTIONS.items():
        yield f"* {title}: {', '.join(f'[`{name}`](#{name})' for name in names)}"
    yield "\nEvery target also has"
    yield "\n* `name`: how labels call it; mandatory;"
    yield "* `visibility`: who may depend on it: `//visibility:public`, `//visibility:private` (what holds unless `package()`"
    yield "  says otherwise), `//package:__pkg__` or `//package:__subpackages__`;"
    yield "* `tags`: words; a target with `manual` is left out of patterns such as `//...`.\n"
    yield "A *function* is `FILE.py:FUNCTION`, for example `train.py:train`: a plain Python function that imports nothing of"
    yield "mlbuild. Its arguments are matched by name: tables come as `pyarrow.Table`, or as pandas or polars frames or as a"
    yield "`Path` if the parameter's annotation says so; plain files as a `Path`, called by the file's name up to its first dot."
    yield "A *table* is a `dataset`, a `data_contract` or `features`. A *part* is what a `split` makes: `//data:by_time.train`."
    for title, names in SECTIONS.items():
        yield f"\n## {title}"
        for name in names:
            yield from _of_rule(known[name])


def _of_rule(shown: Documented) -> Iterator[str]:
    yield f"\n### {shown.name}\n"
    if shown.doc:
        yield shown.doc + "\n"
    if shown.rule.is_test:
        yield "A test: `mlbuild test` runs it, `mlbuild build` does not.\n"
    if shown.attributes:
        ordered = sorted(shown.attributes, key=lambda each: not each.is_mandatory)
        yield from table(("attribute", "type", "default", ""), map(_row, ordered))


def _row(attribute: Attribute) -> tuple[str, str, str, str]:
    values = f" One of {', '.join(f'`{value(each)}`' for each in attribute.values)}." if attribute.values else ""
    default = "mandatory" if attribute.is_mandatory else f"`{value(attribute.default)}`"
    return f"`{attribute.name}`", _type(attribute), default, sentence(attribute.doc) + values


def _type(attribute: Attribute) -> str:
    kind = attribute.kind.replace("_", " ")
    providers = {each.name for group in attribute.providers for each in group}
    tables = {"DatasetInfo": "table", "PartInfo": "part", "ModelInfo": "model", "PyEnvInfo": "py_env"}
    for provider, word in tables.items():
        if provider in providers:
            return f"{kind} of a {word}" if kind == "label" else f"{kind} of {word}s"
    if isinstance(attribute.allow_files, tuple) and kind != "function":
        return f"{kind} ({', '.join(f'`{each}`' for each in attribute.allow_files)})"
    return kind
