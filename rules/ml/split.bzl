"""`split`: which rows belong to which part. A part is decided by a row's own values, so rows that come do not move others."""

load(":mapped.bzl", "map_tool", "run_mapped")
load(":partitions.bzl", "partitions_of")
load(":providers.bzl", "DatasetInfo", "PartInfo")
load(":tools.bzl", "PYTHON", "repeated", "run_tool", "tool_attributes")

_REQUIREMENTS = ["disjoint", "min_rows"]

def _impl(ctx):
    attr = ctx.attr
    data = attr.data[DatasetInfo]
    predicates, assigned = _predicates(ctx, data)
    for column in attr.on + attr.key:
        if data.columns != None and column not in data.columns:
            fail("%s splits by `%s`, which is no column of %s; it has %s" % (ctx.label, column, attr.data.label, ", ".join(data.columns.keys())))
    files = {}
    for name, predicate in predicates.items():
        files[name] = ctx.actions.declare_file("%s.%s.json" % (ctx.label.name, name))
        ctx.actions.write(files[name], json.encode(predicate) + "\n")
    columns = predicates.values()[0]["columns"]
    validations = [data.validations]
    if attr.requires:
        validations.append(depset([_check_requirements(ctx, data, files, columns, assigned)]))
    parts = {}
    for name, predicate in predicates.items():
        label = "%s.%s" % (ctx.label, name)
        rows = ctx.actions.declare_directory("%s.%s" % (ctx.label.name, name))
        part = PartInfo(
            name = label,
            predicate = files[name],
            rule = predicate,
            assignments = assigned,
            columns = predicate["columns"],
            validations = depset(transitive = validations),
        )
        run_tool(
            ctx,
            "split_rows",
            ["--part", label, "--tree", data.tree.path, "--predicate", files[name].path] +
            (["--assignments", assigned.path] if assigned else []) + ["--out", rows.path],
            inputs = [data.tree, files[name], part.validations] + ([assigned] if assigned else []),
            outputs = [rows],
            message = "Selecting %s" % label,
            memory_mib = attr.memory_mib,
        )
        parts[name] = [
            DefaultInfo(files = depset([rows])),
            part,
            DatasetInfo(
                name = data.name,
                tree = rows,
                columns = data.columns,
                key = data.key,
                partition_by = data.partition_by,
                validations = depset(),
            ),
        ]
    return [DefaultInfo(files = depset(files.values())), PartsInfo(parts = parts)]

def _predicates(ctx, data):
    """A dict from each part's name to its predicate, and the table of assignments if the strategy needs one."""
    attr = ctx.attr
    strategy = attr.strategy
    if strategy == "time":
        _need(ctx, "on", len(attr.on) == 1, "exactly one column")
        _need(ctx, "parts", attr.parts, "the first and the last value of each part: {\"train\": [1, 9], \"test\": [10, 12]}")
        return {
            name: {"kind": "range", "columns": attr.on, "from": _bounds(ctx, name, bounds)[0], "to": bounds[1]}
            for name, bounds in attr.parts.items()
        }, None
    if strategy == "kfold":
        _need(ctx, "folds", attr.folds >= 2, "a number of folds, 2 or more")
        columns = attr.on or _key(ctx, data)
        found = {}
        for index in range(attr.folds):
            fold = {"kind": "hash", "columns": columns, "salt": attr.salt, "from": index / attr.folds, "to": (index + 1) / attr.folds}
            found["fold%d" % index] = fold
            found["rest%d" % index] = fold | {"negate": True}
        return found, None
    _need(ctx, "fractions", attr.fractions, "the share of each part: {\"train\": 0.8, \"test\": 0.2}")
    total = 0.0
    bounds = {}
    for name, fraction in attr.fractions.items():
        if type(fraction) not in ("float", "int") or fraction <= 0:
            fail("`fractions` of %s gives `%s` %r: a share is a number above 0" % (ctx.label, name, fraction))
        start = total
        total += fraction

        # 0.8 + 0.1 + 0.1 is a little less than 1: nobody is to fall out of the last part.
        bounds[name] = (start, 1.0 if total > 1 - 1e-9 and total < 1 + 1e-9 else total)
    if total > 1 + 1e-9:
        fail("`fractions` of %s add up to %s, more than 1" % (ctx.label, total))
    if strategy == "stratified":
        _need(ctx, "on", attr.on, "the columns whose values are the strata")
        key = _key(ctx, data)
        return {name: {"kind": "assigned", "columns": key, "part": name} for name in attr.fractions}, _assign(ctx, data, key)
    if strategy == "group":
        _need(ctx, "on", attr.on, "the columns that make a group")
        columns = attr.on
    else:
        columns = _key(ctx, data)
    return {
        name: {"kind": "hash", "columns": columns, "salt": attr.salt, "from": low, "to": high}
        for name, (low, high) in bounds.items()
    }, None

def _assign(ctx, data, key):
    assigned = ctx.actions.declare_directory(ctx.label.name + ".assignments")
    map_tool(
        ctx,
        "assign_parts",
        trees = {"data": data.tree},
        inputs = [data.validations],
        outputs = {"out": assigned},
        params = {
            "label": str(ctx.label),
            "key": key,
            "on": ctx.attr.on,
            "salt": ctx.attr.salt,
            "fractions": json.encode([[name, fraction] for name, fraction in ctx.attr.fractions.items()]),
            "memory_mib": ctx.attr.memory_mib,
        },
        implementation = _assign_parts,
    )
    return assigned

def _assign_parts(template_ctx, input_directories, output_directories, additional_inputs, tools, additional_params):
    params = additional_params
    data = input_directories["data"]
    columns = {column: True for column in params["key"] + params["on"]}
    partitions = partitions_of(data.children, sorted(columns), params["label"])
    out = template_ctx.declare_subdirectory("all", directory = output_directories["out"])
    run_mapped(
        template_ctx,
        tools,
        additional_inputs,
        params,
        arguments = ["--tree", data.directory.path] + repeated("--key", params["key"]) + repeated("--on", params["on"]) +
                    ["--salt", params["salt"], "--fractions", params["fractions"], "--out", output_directories["out"].path],
        inputs = [file for files in partitions.values() for file in files],
        outputs = [out],
        message = "Assigning rows of %s" % params["label"],
    )

def _check_requirements(ctx, data, files, columns, assigned):
    requires = ctx.attr.requires
    for name in requires:
        if name not in _REQUIREMENTS:
            fail("`requires` of %s has the unknown requirement `%s`; there are %s" % (ctx.label, name, ", ".join(_REQUIREMENTS)))
    stamp = ctx.actions.declare_directory(ctx.label.name + ".stamp")
    map_tool(
        ctx,
        "check_split",
        trees = {"data": data.tree},
        inputs = [data.validations] + files.values() + ([assigned] if assigned else []),
        outputs = {"stamp": stamp},
        params = {
            "label": str(ctx.label),
            "read": sorted({column: True for column in columns + requires.get("disjoint", [])}),
            "arguments": repeated("--part", ["%s=%s" % (name, file.path) for name, file in files.items()]) +
                         (["--assignments", assigned.path] if assigned else []) +
                         ["--requires", json.encode(requires)],
            "memory_mib": ctx.attr.memory_mib,
        },
        implementation = _check_split,
    )
    return stamp

def _check_split(template_ctx, input_directories, output_directories, additional_inputs, tools, additional_params):
    params = additional_params
    data = input_directories["data"]
    partitions = partitions_of(data.children, params["read"], params["label"])
    stamp = template_ctx.declare_file("ok", directory = output_directories["stamp"])
    run_mapped(
        template_ctx,
        tools,
        additional_inputs,
        params,
        arguments = ["--label", params["label"], "--tree", data.directory.path] + repeated("--read", params["read"]) +
                    params["arguments"] + ["--stamp", stamp.path],
        inputs = [file for files in partitions.values() for file in files],
        outputs = [stamp],
        message = "Checking %s" % params["label"],
    )

def _key(ctx, data):
    key = ctx.attr.key or data.key
    _need(ctx, "key", key, "the columns that tell rows apart, since its data declare none")
    return key

def _bounds(ctx, name, bounds):
    if type(bounds) != "list" or len(bounds) != 2:
        fail("`parts` of %s gives `%s` %r: write [first, last]; `None` leaves an end open" % (ctx.label, name, bounds))
    return bounds

def _need(ctx, attribute, value, what):
    if not value:
        fail("a split by `%s` needs `%s`: %s (%s)" % (ctx.attr.strategy, attribute, what, ctx.label))

split = rule(
    implementation = _impl,
    doc = "Parts of a table, at `:NAME.PART`. A part is a rule about a row's own values: it also selects from tables made of this one, as long as they keep the columns that decide.",
    attrs = tool_attributes("assign_parts", "check_split", "split_rows") | {
        "data": attr.label(doc = "the table", providers = [DatasetInfo], mandatory = True),
        "strategy": attr.string(
            doc = "`time`: by ranges of one column; `hash`: by the key; `group`: rows that agree in `on` stay together; `stratified`: each value of `on` is shared out in the same proportions; `kfold`: parts `fold0`, ... and the others' `rest0`, ...",
            values = ["time", "hash", "group", "stratified", "kfold"],
            mandatory = True,
        ),
        "on": attr.string_list(doc = "the columns that the strategy looks at"),
        "key": attr.string_list(doc = "the columns that tell rows apart; without, those that the data declare"),
        "salt": attr.string(doc = "another salt, another shuffle; for `hash`, `group`, `stratified` and `kfold`"),
        "parts": attr.json(
            doc = "for `time`: the first and the last value of each part, both within; text is compared as far as it goes: \"2013-09\" holds all of September",
            default = {},
        ),
        "fractions": attr.json(doc = "for `hash`, `group` and `stratified`: the share of each part", default = {}),
        "folds": attr.int(doc = "for `kfold`: how many folds"),
        "requires": attr.json(
            doc = "what must hold of the parts: `{\"min_rows\": 100, \"disjoint\": [\"tailnum\"]}` (no value of a column in two parts); whoever uses a part waits for it",
            default = {},
        ),
        "memory_mib": attr.int(doc = "the memory that an action may use", default = 2048),
    },
    toolchains = [PYTHON],
)
