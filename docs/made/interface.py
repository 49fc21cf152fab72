"""The section for rule authors: `rule`, `attr`, `ctx`, `ctx.actions` and their kin. Names and signatures come from the
code; the words for what has no docstring stand here, and a name without words is an error.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from docs.made.markdown import host_function, signature
from mlbuild.analysis.actions import Actions
from mlbuild.analysis.args import Args
from mlbuild.analysis.context import MAKERS, RuleContext
from mlbuild.analysis.map_directory import TemplateContext
from mlbuild.lang import Namespace
from mlbuild.loading.native import MODULE_GLOBALS
from mlbuild.terms import BUILT_IN_PROVIDERS

ATTRIBUTES = {
    "bool": "true or false",
    "float": "a number",
    "int": "a whole number",
    "int_list": "whole numbers",
    "json": "any value that JSON can hold: strings, numbers, lists, dicts with strings as keys",
    "label": "a target or a file",
    "label_keyed_string_dict": "text by target",
    "label_list": "targets and files",
    "output": "a file that the target makes, with a label of its own",
    "output_list": "such files",
    "string": "text",
    "string_dict": "text by text",
    "string_keyed_label_dict": "targets by text",
    "string_list": "texts",
    "string_list_dict": "lists of texts by text",
}

PROVIDERS = {
    "DefaultInfo": "`files`: a depset of what a build of the target makes; `executable`: what `mlbuild run` starts",
    "OutputGroupInfo": "depsets of further files, by name; the small text files of the group `report` are shown after a build",
    "RunInfo": "what `mlbuild run` does: a list of `arguments`, `env`, `inputs`, `mounts`",
    "TestInfo": "`results`: outputs of the test's actions, which only `mlbuild test` runs; an action that fails is a failed test",
    "ToolchainInfo": "what a toolchain offers, in fields of any name; also `platform_common.ToolchainInfo`",
    "PartsInfo": "`parts`: name -> list of providers; `:target.name` is then a label",
}

FIELDS = {
    "actions": "declares outputs and actions: see below",
    "attr": "each attribute's value; of labels, the targets",
    "executable": "of each attribute with `executable = True`, the program",
    "file": "of each attribute with `allow_single_file`, the file",
    "files": "of each attribute of labels, the list of files",
    "label": "the target's label",
    "outputs": "of each output attribute and each entry of `outputs`, the file or files",
    "toolchains": "`ctx.toolchains[TYPE]`: the `ToolchainInfo` of a toolchain that the rule names in `toolchains`",
    "var": "what `--define` said",
    "workspace_name": "the workspace's name",
}

ACTIONS = {
    "args": "An empty command line to add to. It stays short in memory however long depsets are.",
    "declare_directory": "A folder that an action of this target makes, below the package's output folder; its members need not be known.",
    "declare_file": "A file that an action of this target makes, below the package's output folder.",
    "expand_template": "Writes a file from another, with texts replaced.",
    "fetch": "Gets what lies outside the workspace: `http`, `package_file` and `wheels` by hash from a network, which no other action has; `interpreter` and `host_tools` from this machine.",
    "map_directory": "Calls `implementation` during the build, when the members of the input directories are known: it declares one action for each, with a key of its own.",
    "run": "Runs a program. It sees `inputs`, `tools` and `mounts`, and must make `outputs`.",
    "run_shell": 'Runs a command by the shell toolchain, which the rule must name: `toolchains = ["@mlbuild//rules/shell:toolchain_type"]`. `arguments` are `$1`, `$2`, ...',
    "symlink": "Makes an output with the content of another file or folder.",
    "write": "Writes a text that is known now, or the lines of `Args`.",
}

ARGS = {
    "add": 'One value, perhaps with a flag before it and a format such as `"--out=%s"`.',
    "add_all": "Many values, or the files of a depset. The files of a directory are filled in when it has been built.",
    "add_joined": "Many values as one argument.",
}

TEMPLATE = {
    "args": "As `ctx.actions.args`.",
    "declare_file": "A file in one of the output directories.",
    "declare_subdirectory": "A folder in one of the output directories.",
    "run": "As `ctx.actions.run`; inputs are members of the input directories, `additional_inputs` and `tools`.",
}

OBJECTS = {
    "File": "`path`, `short_path`, `basename`, `dirname`, `extension`, `is_directory`, `is_source`, `owner`, `tree_relative_path`",
    "Label": "`name`, `package`, `repo_name`, `workspace_root`",
    "Target": "`label`, `files` (a depset), `executable`; `target[Provider]`, `Provider in target`",
    "depset": "`to_list()`; true if it holds anything",
}


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
    yield "`memory_mib` are what it claims of the machine; `retries` says how often a failure is tried again."
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
