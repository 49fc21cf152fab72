"""What `model` and `baseline` share: the rows of a part, and training on them."""

load(":functions.bzl", "named_files")
load(":providers.bzl", "DatasetInfo", "PartInfo")
load(":tools.bzl", "repeated", "run_tool")

def select_rows(ctx, data, part, name):
    """The rows of a part as one table: an action of its own, so that equal rows are no reason to train again."""
    rows = ctx.actions.declare_directory("%s.%s" % (ctx.label.name, name))
    run_tool(
        ctx,
        "split_rows",
        ["--part", part.name, "--tree", data.tree.path, "--predicate", part.predicate.path] +
        (["--assignments", part.assignments.path] if part.assignments else []) +
        ["--flat", "--out", rows.path],
        inputs = [data.tree, part.predicate, data.validations, part.validations] +
                 ([part.assignments] if part.assignments else []),
        outputs = [rows],
        message = "Selecting %s for %s" % (part.name, ctx.label),
        memory_mib = ctx.attr.memory_mib,
    )
    return rows

def write_params(ctx):
    """The parameters as a file."""
    params = ctx.actions.declare_file(ctx.label.name + ".params.json")
    ctx.actions.write(params, json.encode(ctx.attr.params) + "\n")
    return params

def train(ctx, function, params):
    """The model's folder, its metrics and its report."""
    attr = ctx.attr
    for name in ("features", "train"):
        if not getattr(attr, name):
            fail("%s trains with `fn`, so it needs `%s`" % (ctx.label, name))
    data = attr.features[DatasetInfo]
    rows = {"train": select_rows(ctx, data, attr.train[PartInfo], "train")}
    if attr.valid:
        rows["valid"] = select_rows(ctx, data, attr.valid[PartInfo], "valid")
    model = ctx.actions.declare_directory(ctx.label.name)
    metrics = ctx.actions.declare_file(ctx.label.name + ".metrics.json")
    arguments = ["--label", str(ctx.label), "--fn", function.text]
    for name, tree in rows.items():
        arguments += ["--" + name, tree.path]
    arguments += ["--params", params.path, "--seed", str(attr.seed)]
    if attr.label:
        arguments += ["--label_column", attr.label]
    arguments += repeated("--query_column", attr.query) + named_files(ctx.files.data)
    run_tool(
        ctx,
        "train_model",
        arguments + ["--out", model.path, "--metrics", metrics.path],
        inputs = [function.sources, params] + rows.values() + ctx.files.data,
        outputs = [model, metrics],
        message = "Training %s" % ctx.label,
        imports = function.imports,
        cpus = attr.cpus,
        memory_mib = attr.memory_mib,
        retries = attr.retries,
    )
    report = ctx.actions.declare_file(ctx.label.name + ".report.txt")
    run_tool(
        ctx,
        "report_model",
        ["--label", str(ctx.label), "--metrics", metrics.path, "--out", report.path],
        inputs = [metrics],
        outputs = [report],
        message = "Reporting %s" % ctx.label,
    )
    return struct(model = model, metrics = metrics, report = report)

def training_attributes():
    """The attributes of whatever can be trained."""
    return {
        "features": attr.label(doc = "the table that its rows come from", providers = [DatasetInfo]),
        "train": attr.label(doc = "the part of a split that it is trained on", providers = [PartInfo]),
        "valid": attr.label(doc = "the part that training may look at to know when to stop", providers = [PartInfo]),
        "label": attr.string(doc = "the column that it learns; the function gets it as `label`"),
        "query": attr.string_list(doc = "the columns that tell queries apart, for a ranking; the function gets them as `query`"),
        "params": attr.json(doc = "parameters, which the functions get as `params`", default = {}),
        "data": attr.label_list(doc = "plain files, which the functions get as a `Path` by the name of their parameter", allow_files = True),
        "seed": attr.int(doc = "the seed that all others are derived from; the functions get theirs as `seed`", default = 0),
        "retries": attr.int(doc = "how often a failed training is tried again", default = 0),
        "cpus": attr.int(doc = "how many processors training is given; without, as many as its environment has threads", default = 0),
        "memory_mib": attr.int(doc = "the memory that an action may use", default = 2048),
    }
