"""Users' functions in attributes: `route.py:route_carrier_week` is a file and a name in it."""

load("@mlbuild//rules/python:providers.bzl", "PyInfo")

def split_function(text, attribute):
    """The label of the file and the name of the function."""
    file, colon, name = text.rpartition(":")
    if not colon or not file.endswith(".py") or not name:
        fail("`%s` is `%s`: write FILE.py:FUNCTION, for example `train.py:train`" % (attribute, text))
    return file, name

def code_attributes():
    """The attributes for what the functions import and read."""
    return {
        "srcs": attr.label_list(doc = "Python files that the functions import", allow_files = [".py"]),
        "deps": attr.label_list(doc = "`py_library` targets that the functions import", providers = [PyInfo]),
    }

def function_attribute(doc, mandatory = False):
    return attr.label(doc = doc, allow_single_file = [".py"], mandatory = mandatory)

def function_of(ctx, file, name):
    """The function as the tools want it: a `struct` of `text`, `sources` (a depset) and `imports` (a list of folders)."""
    deps = [each[PyInfo] for each in ctx.attr.deps]
    return struct(
        text = file.path + ":" + name,
        sources = depset(
            [file] + ctx.files.srcs,
            transitive = [each.transitive_sources for each in deps] + [each.data for each in deps],
        ),
        imports = depset(transitive = [each.imports for each in deps]).to_list(),
    )

def parameter_name(file):
    """How a function calls a plain file: its name up to the first dot."""
    stem = file.basename.partition(".")[0]
    return "".join([char if char.isalnum() else "_" for char in stem.elems()])

def named_files(files):
    """`["--file", "holidays=data/holidays.csv"]` for the tools."""
    return [text for file in files for text in ("--file", "%s=%s" % (parameter_name(file), file.path))]
