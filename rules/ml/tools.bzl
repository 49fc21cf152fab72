"""How the actions of the ML rules are declared: a tool of `tools/`, with those modules only that it imports."""

load("@mlbuild//rules/python:run.bzl", "TOOLCHAIN", "environment_attribute", "environment_of", "run_python")

PYTHON = TOOLCHAIN

# What each tool imports. An action's key has no other tool's code in it: a new metric trains no model again.
# `tests/rules/ml/test_tool_modules.py` compares this with the imports.
MODULES = {
    "assign_parts": ["assign_parts", "canonical", "failure", "predicates", "start", "tables"],
    "check_contract": ["check_contract", "column_types", "contract_rules", "failure", "start", "tables"],
    "check_gates": ["canonical", "check_gates", "failure", "start"],
    "check_split": ["canonical", "check_split", "failure", "predicates", "start", "tables"],
    "copy_file": ["copy_file", "failure", "start"],
    "fit_features": ["canonical", "failure", "fit_features", "named_inputs", "predicates", "seeds", "start", "tables", "user_code", "user_failures"],
    "make_dataset": ["column_types", "failure", "make_dataset", "sources", "start", "tables"],
    "make_features": ["canonical", "failure", "make_features", "named_inputs", "seeds", "start", "tables", "user_code", "user_failures"],
    "measure": ["canonical", "failure", "measure", "metrics", "predicates", "predictions", "seeds", "start", "tables"],
    "predict_rows": ["canonical", "failure", "named_inputs", "predict_rows", "predictions", "seeds", "start", "tables", "user_code", "user_failures"],
    "report_model": ["canonical", "failure", "report_model", "start"],
    "split_rows": ["canonical", "failure", "predicates", "split_rows", "start", "tables"],
    "train_model": ["canonical", "failure", "named_inputs", "seeds", "start", "tables", "train_model", "user_code", "user_failures"],
}

def tool_attributes(*tools):
    """The attributes of a rule that runs Python: its environment, and the tools named."""
    attributes = {
        "env": environment_attribute(),
        "_start": attr.label(default = "@mlbuild//rules/ml:tools/start.py", allow_single_file = True),
    }
    for tool in tools:
        attributes["_" + tool] = attr.label_list(
            default = ["@mlbuild//rules/ml:tools/" + module + ".py" for module in MODULES[tool]],
            allow_files = True,
        )
    return attributes

def run_tool(ctx, tool, arguments, inputs, outputs, message, env = None, **kwargs):
    """Declares an action that runs a tool. `inputs` is a list of files and depsets."""
    direct = [each for each in inputs if type(each) != "depset"]
    transitive = [each for each in inputs if type(each) == "depset"]
    run_python(
        ctx,
        env or environment_of(ctx),
        script = ctx.file._start,
        arguments = [tool] + arguments,
        inputs = depset(direct + getattr(ctx.files, "_" + tool), transitive = transitive),
        outputs = outputs,
        mnemonic = mnemonic_of(tool),
        progress_message = message,
        **kwargs
    )

def mnemonic_of(tool):
    """`MakeFeatures` for `make_features`."""
    return "".join([word.capitalize() for word in tool.split("_")])

def repeated(flag, values):
    """`["--key", "a", "--key", "b"]`."""
    return [text for value in values for text in (flag, value)]
