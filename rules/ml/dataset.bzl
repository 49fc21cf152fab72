"""`dataset`: a source file becomes a table in partitions, one file for each column of each."""

load(":partitions.bzl", "TABLE")
load(":providers.bzl", "DatasetInfo")
load(":tools.bzl", "PYTHON", "repeated", "run_tool", "tool_attributes")

def _impl(ctx):
    attr = ctx.attr
    for name, columns in (("key", attr.key), ("partition_by", attr.partition_by), ("sort_by", attr.sort_by)):
        for column in columns:
            if column not in attr.schema:
                fail("`%s` of %s names the column `%s`, which `schema` does not declare" % (name, ctx.label, column))
    tree = ctx.actions.declare_directory(ctx.label.name, levels = TABLE)
    arguments = ["--label", str(ctx.label)]
    arguments += repeated("--source", [file.path for file in ctx.files.src])
    if attr.member:
        arguments += ["--member", attr.member]
    arguments += ["--format", attr.format, "--schema", json.encode(attr.schema)]
    arguments += repeated("--null", attr.null_values)
    arguments += repeated("--key", attr.key)
    arguments += repeated("--partition_by", attr.partition_by)
    arguments += repeated("--sort_by", attr.sort_by)
    run_tool(
        ctx,
        "make_dataset",
        arguments + ["--out", tree.path],
        inputs = ctx.files.src,
        outputs = [tree],
        message = "Partitioning %s" % ctx.label,
        memory_mib = attr.memory_mib,
    )
    about = ctx.actions.declare_file(ctx.label.name + ".about.json")
    ctx.actions.write(about, json.encode_indent({
        "key": attr.key,
        "label": str(ctx.label),
        "license": attr.license,
        "owners": attr.owners,
        "partition_by": attr.partition_by,
        "schema": attr.schema,
    }, indent = " ") + "\n")
    return [
        DefaultInfo(files = depset([tree])),
        OutputGroupInfo(about = depset([about])),
        DatasetInfo(
            name = ctx.label.name,
            tree = tree,
            columns = attr.schema,
            key = attr.key,
            partition_by = attr.partition_by,
            validations = depset(),
        ),
    ]

dataset = rule(
    implementation = _impl,
    doc = "A table made from source files, typed, sorted and partitioned. A cell that does not fit its column's type is an error with column, row and value.",
    attrs = tool_attributes("make_dataset") | {
        "src": attr.label_list(
            doc = "the source: files of the workspace (read one after the other), or a `wheel_file` or `http_file`",
            allow_files = True,
            allow_empty = False,
            mandatory = True,
        ),
        "member": attr.string(doc = "the member to read, if the source is a wheel, an sdist or another archive"),
        "format": attr.string(
            doc = "what the source is; `.gz`, `.bz2`, `.xz` and a `.zip` of one file are opened first",
            values = ["csv", "jsonl", "parquet", "arrow"],
            mandatory = True,
        ),
        "schema": attr.string_dict(
            doc = "the columns to keep, in order, and their types: `bool`, `int8` to `int64`, `uint8` to `uint64`, `float32`, `float64`, `string`, `binary`, `date`, `timestamp[s]`, `timestamp[s, UTC]` (also `ms`, `us`, `ns`)",
            allow_empty = False,
            mandatory = True,
        ),
        "null_values": attr.string_list(
            doc = "texts of a CSV that stand for a missing value",
            default = ["", "NA"],
        ),
        "key": attr.string_list(doc = "the columns that tell rows apart; checked, and shown beside examples of bad rows"),
        "partition_by": attr.string_list(doc = "the columns whose values make the partitions; without, there is one, `all`"),
        "sort_by": attr.string_list(doc = "the order of the rows in a partition; without, the source's"),
        "license": attr.string(doc = "the data's license, kept in the output group `about`"),
        "owners": attr.string_list(doc = "who answers for the data, kept in the output group `about`"),
        "memory_mib": attr.int(doc = "the memory that the action may use", default = 2048),
    },
    toolchains = [PYTHON],
)
