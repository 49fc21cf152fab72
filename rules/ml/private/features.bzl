"""The rule behind `features`: `fn` and `fit` as the macro has taken them apart."""

load("@mlbuild//rules/ml:functions.bzl", "code_attributes", "function_attribute", "function_of", "named_files")
load("@mlbuild//rules/ml:mapped.bzl", "map_tool", "run_mapped")
load("@mlbuild//rules/ml:partitions.bzl", "TABLE", "WHOLE", "aligned", "folder_of", "may_hold", "partitions_of")
load("@mlbuild//rules/ml:providers.bzl", "DatasetInfo", "PartInfo")
load("@mlbuild//rules/ml:tools.bzl", "PYTHON", "repeated", "tool_attributes")

def _impl(ctx):
    attr = ctx.attr
    data = [each[DatasetInfo] for each in attr.data if DatasetInfo in each]
    files = [file for each in attr.data if DatasetInfo not in each for file in each.files.to_list()]
    joins = [each[DatasetInfo] for each in attr.joins]
    if not data:
        fail("`data` of %s has no table: name a `dataset`, a `data_contract` or other `features`" % ctx.label)
    _check_columns(ctx, data + joins)
    window = _window(ctx)
    validations = [each.validations for each in data + joins]
    trees = {"table:" + each.name: each.tree for each in data} | {"join:" + each.name: each.tree for each in joins}
    if len(trees) < len(data) + len(joins):
        fail("two tables of %s have the same name" % ctx.label)
    common = {
        "label": str(ctx.label),
        "data": [each.name for each in data],
        "joins": [each.name for each in joins],
        "columns": attr.columns,
        "seed": attr.seed,
        "memory_mib": attr.memory_mib,
    }
    fitted = _fit(ctx, data[0], trees, files, validations, common) if attr.fit else None
    function = function_of(ctx, ctx.file.fn, attr.function)
    tree = ctx.actions.declare_directory(ctx.label.name, levels = TABLE)
    map_tool(
        ctx,
        "make_features",
        trees = trees,
        inputs = files + [function.sources] + validations + ([fitted] if fitted else []),
        outputs = {"out": tree},
        params = common | {
            "fn": function.text,
            "files": named_files(files),
            "fitted": fitted.path + "/fitted" if fitted else "",
            "is_global": attr.scope == "global",
            "window": window,
            "cpus": attr.cpus,
        },
        implementation = _each_partition,
        imports = function.imports,
    )
    return [
        DefaultInfo(files = depset([tree])),
        OutputGroupInfo(fitted = depset([fitted] if fitted else [])),
        DatasetInfo(
            name = ctx.label.name,
            tree = tree,
            columns = None,
            key = [],
            partition_by = [],
            validations = depset(),
        ),
    ]

def _each_partition(template_ctx, input_directories, output_directories, additional_inputs, tools, additional_params):
    """One action for each partition of the first table, with the columns that it declares and no others."""
    params = additional_params
    tables = _tables(input_directories, "table:", params["data"], params["columns"])
    joins = _tables(input_directories, "join:", params["joins"], params["columns"])
    names = tables[params["data"][0]].keys()
    for index, name in enumerate([WHOLE] if params["is_global"] else names):
        given = []
        for table, partitions in tables.items():
            chosen = partitions.values() if params["is_global"] else [aligned(partitions, name, table)]
            given += [("--table", table, files) for files in chosen]
            for before in names[max(0, index - params["window"]):index]:
                if before in partitions:
                    given.append(("--history", table, partitions[before]))
        for table, partitions in joins.items():
            chosen = partitions.values() if params["is_global"] else [aligned(partitions, name, table)]
            given += [("--table", table, files) for files in chosen]
        out = template_ctx.declare_subdirectory(name, directory = output_directories["out"])
        arguments = ["--label", params["label"], "--fn", params["fn"], "--partition", name]
        for flag, table, files in given:
            arguments += [flag, "%s=%s" % (table, folder_of(files))]
        if params["window"]:
            arguments += repeated("--history_of", params["data"])
        if params["fitted"]:
            arguments += ["--fitted", params["fitted"]]
        arguments += params["files"] + ["--seed", str(params["seed"]), "--out", out.path]
        run_mapped(
            template_ctx,
            tools,
            additional_inputs,
            params,
            arguments = arguments,
            inputs = [file for _, _, files in given for file in files],
            outputs = [out],
            message = "Computing %s" % params["label"] + ("" if name == WHOLE else " for " + name),
        )

def _fit(ctx, first, trees, files, validations, common):
    """The folder of what `fit` has learned from the rows of `fit_on`."""
    attr = ctx.attr
    if not attr.fit_on:
        fail("`fit` of %s needs `fit_on`: the part of a split whose rows it may see" % ctx.label)
    part = attr.fit_on[PartInfo]
    function = function_of(ctx, ctx.file.fit, attr.fit_function)
    fitted = ctx.actions.declare_directory(ctx.label.name + ".fit")
    map_tool(
        ctx,
        "fit_features",
        trees = trees,
        inputs = files + [function.sources, part.predicate, part.validations] + validations +
                 ([part.assignments] if part.assignments else []),
        outputs = {"out": fitted},
        params = common | {
            "fn": function.text,
            "files": named_files(files),
            "part": part.name,
            "rule": part.rule,
            "partition_by": first.partition_by,
            "predicate": part.predicate.path,
            "assignments": part.assignments.path if part.assignments else "",
            "fit_columns": attr.fit_columns or attr.columns,
        },
        implementation = _fit_once,
        imports = function.imports,
    )
    return fitted

def _fit_once(template_ctx, input_directories, output_directories, additional_inputs, tools, additional_params):
    params = additional_params
    declared = params["fit_columns"]

    # Only the first table is split; what `fit` does not declare is not read, nor are tables that it leaves out.
    first = params["data"][0]
    used = [name for name in params["data"] + params["joins"] if name == first or name in declared]
    read = dict(declared)
    if first in declared:
        read[first] = list({column: True for column in declared[first] + params["rule"]["columns"]})
    arguments = ["--label", params["label"], "--fn", params["fn"], "--part", params["part"]]
    arguments += ["--predicate", params["predicate"]]
    if params["assignments"]:
        arguments += ["--assignments", params["assignments"]]
    arguments += repeated("--declared", ["%s=%s" % (first, column) for column in declared.get(first, [])])
    inputs = []
    tables = _tables(input_directories, "table:", [name for name in params["data"] if name in used], read) | \
             _tables(input_directories, "join:", [name for name in params["joins"] if name in used], read)
    for name, partitions in tables.items():
        for partition, files in partitions.items():
            if name == first and not may_hold(partition, params["partition_by"], params["rule"]):
                continue
            arguments += ["--table" if name == first else "--join", "%s=%s" % (name, folder_of(files))]
            inputs += files
    if "--table" not in arguments:
        fail("the part `%s` has no partition of `%s` to fit on" % (params["part"], first))
    out = template_ctx.declare_subdirectory("fitted", directory = output_directories["out"])
    run_mapped(
        template_ctx,
        tools,
        additional_inputs,
        params,
        arguments = arguments + params["files"] + ["--seed", str(params["seed"]), "--out", out.path],
        inputs = inputs,
        outputs = [out],
        message = "Fitting %s on %s" % (params["label"], params["part"]),
    )

def _tables(input_directories, prefix, names, columns):
    """The declared files of each table, by partition."""
    return {
        name: partitions_of(input_directories[prefix + name].children, columns.get(name), name)
        for name in names
    }

def _check_columns(ctx, tables):
    known = {each.name: each for each in tables}
    for attribute, columns in (("columns", ctx.attr.columns), ("fit_columns", ctx.attr.fit_columns)):
        for name, chosen in columns.items():
            if name not in known:
                fail("`%s` of %s speaks of `%s`, which is neither in `data` nor in `joins`; they are %s" % (attribute, ctx.label, name, ", ".join(known.keys())))
            if not chosen:
                fail("`%s` of %s names no column of `%s`; leave the table out instead" % (attribute, ctx.label, name))
            for column in chosen:
                if known[name].columns != None and column not in known[name].columns:
                    fail("`%s` of %s names `%s`, which is no column of `%s`; it has %s" % (attribute, ctx.label, column, name, ", ".join(known[name].columns.keys())))

def _window(ctx):
    """How many partitions before its own each one sees."""
    scope = ctx.attr.scope
    if scope in ("partition", "global"):
        return 0
    if scope.startswith("window(") and scope.endswith(")"):
        number = scope[len("window("):-1]
        if number.isdigit() and int(number) > 0:
            return int(number)
    fail("`scope` of %s is `%s`: write `partition`, `window(N)` or `global`" % (ctx.label, scope))

features = rule(
    implementation = _impl,
    doc = "A table computed by a plain function, partition by partition: an action runs again only if the columns that it declares have changed in its own partition.",
    attrs = tool_attributes("fit_features", "make_features") | code_attributes() | {
        "fn": function_attribute("the function: FILE.py:FUNCTION; it gets each table, and each file as a `Path`, by the name of its parameter", mandatory = True),
        "function": attr.string(doc = "the function's name; the macro fills it in", mandatory = True),
        "data": attr.label_list(
            doc = "the tables whose partitions it works on (the first says which there are), and plain files",
            allow_files = True,
            allow_empty = False,
            mandatory = True,
        ),
        "joins": attr.label_list(doc = "tables to look things up in: unpartitioned ones are given whole, others by the same partition", providers = [DatasetInfo]),
        "columns": attr.string_list_dict(doc = "the columns that are read, by the table's name; of a table that is not named, all are"),
        "scope": attr.string(
            doc = "`partition`; `window(N)`: with the N partitions before, as `history` (those of table `x`: `x_history`); `global`: all partitions at once",
            default = "partition",
        ),
        "fit": function_attribute("a function that learns something from the rows of `fit_on` only; it returns a table or a JSON value, which `fn` gets as `fitted`"),
        "fit_function": attr.string(doc = "its name; the macro fills it in"),
        "fit_on": attr.label(doc = "the part of a split that `fit` may see", providers = [PartInfo]),
        "fit_columns": attr.string_list_dict(doc = "the columns that `fit` gets, by the table's name; tables not named, other than the first, are not given to it; without, as `columns`"),
        "seed": attr.int(doc = "the seed that those of each action are derived from", default = 0),
        "cpus": attr.int(doc = "how many processors an action is given; without, as many as its environment has threads", default = 0),
        "memory_mib": attr.int(doc = "the memory that an action may use", default = 1024),
    },
    toolchains = [PYTHON],
)
