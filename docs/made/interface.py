"""The section for rule authors: `rule`, `attr`, `ctx`, `ctx.actions` and their kin. Names and signatures come from the
code; the words for what has no docstring are those that editors show, and a name without words is an error.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mlbuild.analysis.actions import Actions
from mlbuild.analysis.args import Args
from mlbuild.analysis.context import MAKERS, RuleContext
from mlbuild.analysis.map_directory import TemplateContext
from mlbuild.lang import Namespace
from mlbuild.lang.runtime.signatures import host_function, signature
from mlbuild.language_server.words import ACTIONS, ARGS, ATTRIBUTES, FIELDS, OBJECTS, PROVIDERS, TEMPLATE
from mlbuild.loading.native import MODULE_GLOBALS
from mlbuild.terms import BUILT_IN_PROVIDERS


def lines(rules: Path) -> Iterator[str]:
    """The section."""
    yield "## For rule authors\n"
    yield "The interface is Bazel's where Bazel has the thing. mlbuild's own rules are written on it: `rules/` is all examples.\n"
    for name in ("rule", "provider"):
        function = host_function(MODULE_GLOBALS[name])
        yield f"* `{signature(name, function)}`: {inspect.getdoc(function)}"
    yield "\n`implementation(ctx)` returns a list of provider instances. `toolchains` are labels of `toolchain_type`s. `outputs`"
    yield 'makes outputs out of the target\'s name: `{"report": "%{name}.txt"}`. Attributes that begin with `_` are private: their'
    yield "default is their value, for the rule's own tools.\n"
    yield "### attr\n"
    attr = MODULE_GLOBALS["attr"]
    assert isinstance(attr, Namespace)
    for name in _same(attr.starlark_dir(), ATTRIBUTES):
        yield f"* `{signature(f'attr.{name}', host_function(attr.starlark_attr(name)))}`: {ATTRIBUTES[name]}"
    yield "\n`allow_files` is `True` or a list of suffixes; `providers` is a list of what a target must provide, or a list of such"
    yield "lists, one of which it must have; `values` are the only ones allowed. `cfg` is taken and means nothing: there is one"
    yield "configuration.\n"
    yield "### Providers that mlbuild knows\n"
    for name in _same((each.name for each in BUILT_IN_PROVIDERS), PROVIDERS):
        yield f"* `{name}`: {PROVIDERS[name]}"
    yield "\n### ctx\n"
    for name in _same(MAKERS, FIELDS):
        yield f"* `ctx.{name}`: {FIELDS[name]}"
    for name in RuleContext.starlark_methods:
        method = getattr(RuleContext, name)
        yield f"* `{signature(f'ctx.{name}', method)}`: {inspect.getdoc(method)}"
    yield "\n### ctx.actions\n"
    yield from _methods("ctx.actions", Actions, ACTIONS)
    yield "\nOf `run`: `env` is all that is in the environment, beside `HOME` and `PWD`; `mounts` puts a directory beside the exec"
    yield 'root (`{"python": tree}` is `/python`); `platform` goes into the key as it is; `timeout` is in seconds; `cpus` and'
    yield "`memory_mib` are what it claims of the machine, and an action that takes more memory than it claims is ended (one that"
    yield "claims none counts as 256 MiB and is ended at what all may claim together); `retries` says how often a failure is tried again."
    yield '`execution_requirements = {"supports-path-mapping": "1"}` promises that the outputs do not depend on how paths are called: the action'
    yield "sees neutral names in its arguments and its environment (never within files), and what another target has made the same way is reused."
    yield "\n### Args\n"
    yield from _methods("args", Args, ARGS)
    yield "\n### map_directory\n"
    yield "`implementation(template_ctx, input_directories, output_directories, additional_inputs, tools, additional_params)`:"
    yield '`input_directories["in"].children` is the sorted list of members, `input_directories["in"].directory` the directory.'
    yield "What `template_ctx` makes becomes the content of the output directories.\n"
    yield from _methods("template_ctx", TemplateContext, TEMPLATE)
    yield "\n### Values\n"
    yield from (f"* `{name}`: {text}" for name, text in OBJECTS.items())
    yield "\n### Not there\n"
    yield "Aspects, transitions, repository rules, runfiles, symbolic macros and exec groups."


def _methods(name: str, kind: type, words: dict[str, str]) -> Iterator[str]:
    methods: tuple[str, ...] = getattr(kind, "starlark_methods")  # noqa: B009 (of each of these classes, a different one)
    for each in _same(methods, words):
        method: Callable[..., object] = getattr(kind, each)
        yield f"* `{signature(f'{name}.{each}', method)}`: {words[each]}"


def _same(names: Iterable[str], words: dict[str, str]) -> list[str]:
    """The names, sorted. AssertionError if there are words for others, or none for one."""
    found = sorted(names)
    assert found == sorted(words), f"docs/made/interface.py: {sorted(set(found) ^ set(words))}"
    return found
