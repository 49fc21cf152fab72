"""The rule behind `data_contract`: `domains` and `columns` as the macro has sorted them out."""

load("@mlbuild//rules/ml:mapped.bzl", "map_tool", "run_mapped")
load("@mlbuild//rules/ml:partitions.bzl", "TABLE", "partitions_of")
load("@mlbuild//rules/ml:providers.bzl", "DatasetInfo")
load("@mlbuild//rules/ml:tools.bzl", "PYTHON", "repeated", "run_tool", "tool_attributes")

RULES = ["type", "not_null", "max_null_rate", "min", "max", "in", "unique", "freshness", "drift"]

WORDS = {"freshness": ["as_of", "max_age_days"], "drift": ["domain", "max_psi"]}

def _impl(ctx):
    attr = ctx.attr
    data = attr.data[DatasetInfo]
    _check_rules(ctx, data)
    quarantines = attr.on_fail == "quarantine"
    read = None if quarantines else sorted({column: True for column in list(attr.columns) + data.key})
    if read == []:
        read = None if data.columns == None else [list(data.columns)[0]]
    stamp = ctx.actions.declare_directory(ctx.label.name + ".stamp")
    findings = ctx.actions.declare_directory(ctx.label.name + ".findings")
    outputs = {"stamp": stamp, "findings": findings}
    if quarantines:
        outputs["clean"] = ctx.actions.declare_directory(ctx.label.name, levels = TABLE)
        outputs["quarantined"] = ctx.actions.declare_directory(ctx.label.name + ".quarantined")
    domains = [each[DatasetInfo] for each in attr.domains]
    map_tool(
        ctx,
        "check_contract",
        trees = {"data": data.tree} | {"domain%d" % index: each.tree for index, each in enumerate(domains)},
        inputs = [data.validations] + [each.validations for each in domains],
        outputs = outputs,
        params = {
            "label": str(ctx.label),
            "data_label": str(attr.data.label),
            "read": read,
            "rows": attr.rows,
            "columns": attr.columns,
            "domain_of": attr.domain_of,
            "domain_columns": attr.domain_columns,
            "key": data.key,
            "on_fail": attr.on_fail,
            "memory_mib": attr.memory_mib,
        },
        implementation = _check,
    )
    report = ctx.actions.declare_file(ctx.label.name + ".report.txt")
    run_tool(
        ctx,
        "copy_file",
        [findings.path + "/report.txt", report.path],
        inputs = [findings],
        outputs = [report],
        message = "Reporting %s" % ctx.label,
    )
    tree = outputs.get("clean", data.tree)
    return [
        DefaultInfo(files = depset([tree, report])),
        OutputGroupInfo(report = depset([report]), quarantined = depset([outputs["quarantined"]] if quarantines else [])),
        DatasetInfo(
            name = data.name,
            tree = tree,
            columns = data.columns,
            key = data.key,
            partition_by = data.partition_by,
            # A contract that changes but still holds leaves the same bytes: nothing behind it runs again.
            validations = depset([stamp], transitive = [data.validations]),
        ),
    ]

def _check(template_ctx, input_directories, output_directories, additional_inputs, tools, additional_params):
    params = additional_params
    partitions = partitions_of(input_directories["data"].children, params["read"], params["data_label"])
    inputs = [file for files in partitions.values() for file in files]
    arguments = ["--label", params["label"], "--data", params["data_label"]]
    arguments += ["--tree", input_directories["data"].directory.path]
    arguments += repeated("--read", params["read"] or [])
    arguments += ["--rows", json.encode(params["rows"]), "--columns", json.encode(params["columns"])]
    for index, column in enumerate(params["domain_columns"]):
        domain = input_directories["domain%d" % params["domain_of"][index]]
        for files in partitions_of(domain.children, [column], "domain").values():
            inputs += files
        arguments += ["--domain", domain.directory.path + ":" + column]
    arguments += repeated("--key", params["key"]) + ["--on_fail", params["on_fail"]]
    stamp = template_ctx.declare_file("ok", directory = output_directories["stamp"])
    findings = template_ctx.declare_file("report.txt", directory = output_directories["findings"])
    outputs = [stamp, findings]
    arguments += ["--stamp", stamp.path, "--findings", findings.path]
    if "clean" in output_directories:
        for name in ("clean", "quarantined"):
            arguments += ["--" + name, output_directories[name].path]
            for partition in partitions:
                outputs.append(template_ctx.declare_subdirectory(partition, directory = output_directories[name]))
    run_mapped(
        template_ctx,
        tools,
        additional_inputs,
        params,
        arguments = arguments,
        inputs = inputs,
        outputs = outputs,
        message = "Checking %s" % params["label"],
    )

def _check_rules(ctx, data):
    for limit in ctx.attr.rows:
        if limit not in ("min", "max"):
            fail("`rows` of %s has the unknown limit `%s`; limits are min, max" % (ctx.label, limit))
    for column, rules in ctx.attr.columns.items():
        if data.columns != None and column not in data.columns:
            fail("`columns` of %s names `%s`, which is no column of %s; it has %s" % (ctx.label, column, ctx.attr.data.label, ", ".join(data.columns.keys())))
        for rule in rules:
            if rule not in RULES:
                fail("`columns` of %s has the unknown rule `%s` for `%s`; rules are %s" % (ctx.label, rule, column, ", ".join(RULES)))
        for rule, words in WORDS.items():
            if rule in rules and sorted(rules[rule]) != words:
                given = [word for word in sorted(rules[rule]) if word != "domain"]
                needed = ["reference" if word == "domain" else word for word in words]
                fail("`%s` of column `%s` of %s says %s; it takes %s" % (rule, column, ctx.label, ", ".join(given) or "nothing", ", ".join(needed)))
    if not ctx.attr.columns and not ctx.attr.rows:
        fail("%s promises nothing: give it `rows` or `columns`" % ctx.label)

data_contract = rule(
    implementation = _impl,
    doc = "What a table promises. Whoever takes the contract as `data` waits until it holds.",
    attrs = tool_attributes("check_contract", "copy_file") | {
        "data": attr.label(doc = "the table", providers = [DatasetInfo], mandatory = True),
        "rows": attr.json(doc = "the least and the greatest number of rows: `{\"min\": 1000, \"max\": 5000}`", default = {}),
        "columns": attr.json(
            doc = "the rules of each column: `type`, `not_null`, `max_null_rate`, `min`, `max`, `in` (a list, or another table's column: `\":airlines.carrier\"`), `unique`, `freshness`, `drift`; only the columns named here (and the key) are read",
            default = {},
        ),
        "on_fail": attr.string(
            doc = "what a broken rule does: `error` stops the build, `quarantine` moves the rows aside (output group `quarantined`), `warn` says so in the report",
            values = ["error", "quarantine", "warn"],
            default = "error",
        ),
        "domains": attr.label_list(doc = "the tables that `in` and `drift` speak of; the macro fills it in", providers = [DatasetInfo]),
        "domain_of": attr.int_list(doc = "which of `domains` each of them speaks of; the macro fills it in"),
        "domain_columns": attr.string_list(doc = "which of its columns; the macro fills it in"),
        "memory_mib": attr.int(doc = "the memory that the action may use", default = 2048),
    },
    toolchains = [PYTHON],
)
