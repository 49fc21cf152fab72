"""What the interface for rule authors is, in words, for all of it that has no docstring. The reference page has the same words."""

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
    "RunInfo": "what `mlbuild run` does: a list of `arguments`, `env`, `inputs`, `mounts`, and the list that `mlbuild shell` starts instead, `shell`",
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
    "declare_directory": "A folder that an action of this target makes, below the package's output folder; its members need not be known; `levels` are what messages call the levels below it.",
    "declare_file": "A file that an action of this target makes, below the package's output folder.",
    "expand_template": "Writes a file from another, with texts replaced.",
    "fetch": "Gets what lies outside the workspace: `http`, `package_file` and `wheels` by hash from a network, which no other action has; `interpreter` and `host_tools` from this machine; `pins` are the entries of a lock, each a file.",
    "map_directory": "Calls `implementation` during the build, when the members of the input directories are known: it declares one action for each, with a key of its own.",
    "merge_subdirectories": "Lays the folders directly in `directory` over each other as one, without copying anything. Two different things at one path are an error that names both folders.",
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
    "fetch": "As `ctx.actions.fetch`; inputs are as those of `run`.",
    "run": "As `ctx.actions.run`; inputs are members of the input directories, `additional_inputs` and `tools`.",
}

OBJECTS = {
    "File": "`path`, `short_path`, `basename`, `dirname`, `extension`, `is_directory`, `is_source`, `owner`, `tree_relative_path`",
    "Label": "`name`, `package`, `repo_name`, `workspace_root`",
    "Target": "`label`, `files` (a depset), `executable`; `target[Provider]`, `Provider in target`",
    "depset": "`to_list()`; true if it holds anything",
}
