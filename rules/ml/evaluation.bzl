"""`evaluation`: a model measured beside its baseline, by slices, with gates: a test."""

load(":functions.bzl", "named_files")
load(":providers.bzl", "ModelInfo", "PartInfo")
load(":tools.bzl", "PYTHON", "repeated", "run_tool", "tool_attributes")
load(":training.bzl", "select_rows")

_GATE_KEYS = ["metric", "min", "max", "versus", "min_gain", "confidence", "slice", "slices"]
_CONFIDENCES = [0.8, 0.9, 0.95, 0.99]

def _impl(ctx):
    attr = ctx.attr
    model = attr.model[ModelInfo]
    if not model.label:
        fail("%s needs to know what is right: give %s a `label`" % (ctx.label, model.name))
    _check_gates(ctx)
    rows = select_rows(ctx, model.features, attr.data[PartInfo], "rows")
    predictions = {"model": _predict(ctx, model, rows, "model")}
    if attr.baseline:
        predictions["baseline"] = _predict(ctx, attr.baseline[ModelInfo], rows, "baseline")
    metrics = ctx.actions.declare_file(ctx.label.name + ".metrics.json")
    arguments = ["--label", str(ctx.label), "--rows", rows.path]
    for name, scores in predictions.items():
        arguments += ["--" + name, scores.path]
    arguments += ["--label_column", model.label] + repeated("--query_column", model.query)
    arguments += repeated("--metric", attr.metrics) + repeated("--slice", attr.slices)
    arguments += ["--bootstrap", str(attr.bootstrap), "--seed", str(attr.seed), "--out", metrics.path]
    run_tool(
        ctx,
        "measure",
        arguments,
        inputs = [rows] + predictions.values(),
        outputs = [metrics],
        message = "Measuring %s" % ctx.label,
        memory_mib = attr.memory_mib,
    )
    report = _judge(ctx, metrics, [], "report", "Reporting %s" % ctx.label)
    verdict = _judge(ctx, metrics, attr.gates, "verdict", "Testing %s" % ctx.label)
    return [
        DefaultInfo(files = depset([metrics])),
        OutputGroupInfo(report = depset([report])),
        TestInfo(results = [verdict]),
    ]

def _predict(ctx, model, rows, name):
    scores = ctx.actions.declare_directory("%s.%s" % (ctx.label.name, name))
    arguments = ["--label", model.name, "--fn", model.predict.text, "--rows", rows.path]
    if model.model:
        arguments += ["--model", model.model.path]
    arguments += ["--params", model.params.path, "--seed", str(model.seed)] + named_files(model.files)
    run_tool(
        ctx,
        "predict_rows",
        arguments + ["--out", scores.path],
        inputs = [rows, model.predict.sources, model.params] + model.files + ([model.model] if model.model else []),
        outputs = [scores],
        message = "Predicting with %s" % model.name,
        env = model.env,
        imports = model.predict.imports,
        memory_mib = ctx.attr.memory_mib,
    )
    return scores

def _judge(ctx, metrics, gates, name, message):
    """The table of slices, with the verdict on the gates: reads the metrics only, so a gate that moves is cheap."""
    text = ctx.actions.declare_file("%s.%s.txt" % (ctx.label.name, name))
    champion = ctx.file.champion if gates else None
    run_tool(
        ctx,
        "check_gates",
        ["--label", str(ctx.label), "--metrics", metrics.path, "--gates", json.encode(gates)] +
        (["--champion", champion.path] if champion else []) + ["--out", text.path],
        inputs = [metrics] + ([champion] if champion else []),
        outputs = [text],
        message = message,
    )
    return text

def _check_gates(ctx):
    attr = ctx.attr
    for gate in attr.gates:
        unknown = [key for key in gate if key not in _GATE_KEYS]
        if unknown:
            fail("a gate of %s has the unknown key `%s`; keys are %s" % (ctx.label, unknown[0], ", ".join(_GATE_KEYS)))
        if gate.get("metric") not in attr.metrics:
            fail("a gate of %s speaks of the metric `%s`; `metrics` has %s" % (ctx.label, gate.get("metric"), ", ".join(attr.metrics)))
        for column in [gate["slices"]] if "slices" in gate else gate.get("slice", {}).keys():
            if column not in attr.slices:
                fail("a gate of %s speaks of the slice column `%s`; `slices` has %s" % (ctx.label, column, ", ".join(attr.slices) or "none"))
        if "confidence" in gate and (not attr.bootstrap or gate["confidence"] not in _CONFIDENCES):
            fail("a gate of %s has a confidence of %s: it needs `bootstrap`, and is one of %s" % (ctx.label, gate["confidence"], ", ".join([str(each) for each in _CONFIDENCES])))
        versus = gate.get("versus")
        if versus == None:
            if "min" not in gate and "max" not in gate:
                fail("a gate of %s asks for nothing: give it `min`, `max` or `versus`" % ctx.label)
            if "min_gain" in gate:
                fail("a gate of %s has a `min_gain`, but no `versus`" % ctx.label)
        elif versus not in ("baseline", "champion"):
            fail("a gate of %s compares with `%s`; write `baseline` or `champion`" % (ctx.label, versus))
        elif not getattr(attr, versus):
            fail("a gate of %s compares with the %s, but the evaluation names none" % (ctx.label, versus))
        elif "min" in gate or "max" in gate:
            fail("a gate of %s has `versus` and a `min` or `max`: write two gates" % ctx.label)

evaluation = rule(
    implementation = _impl,
    test = True,
    doc = "Metrics of a model on rows that it has not seen, with intervals, slices and a baseline. As a test it fails when a gate does not hold.",
    attrs = tool_attributes("check_gates", "measure", "predict_rows", "split_rows") | {
        "model": attr.label(doc = "the model", providers = [ModelInfo], mandatory = True),
        "baseline": attr.label(doc = "what it must be better than: a `baseline` or another `model`; it scores the same rows", providers = [ModelInfo]),
        "data": attr.label(doc = "the part of a split to measure on", providers = [PartInfo], mandatory = True),
        "metrics": attr.string_list(
            doc = "`ndcg@K`, `precision@K`, `recall@K`, `mrr` (these need the model's `query`); `auc`, `accuracy`, `logloss`, `brier`; `rmse`, `mae`, `r2`",
            allow_empty = False,
            mandatory = True,
        ),
        "slices": attr.string_list(doc = "columns for whose every value the metrics are given too"),
        "bootstrap": attr.int(doc = "how many resamples of whole queries (of rows, where there are no queries) the intervals are made from", default = 0),
        "gates": attr.json(
            doc = "what must hold: `{\"metric\": \"ndcg@3\", \"min\": 0.9}` (or `max`), `{\"metric\": ..., \"versus\": \"baseline\", \"min_gain\": 0.0}` (or `\"champion\"`); with `confidence` (0.8, 0.9, 0.95, 0.99) the worse end of the interval must hold; `slice` = {column: value} for one slice, `slices` = column for each of its values",
            default = [],
        ),
        "champion": attr.label(doc = "the metrics file of an earlier evaluation, for gates `versus` the champion", allow_single_file = [".json"]),
        "seed": attr.int(doc = "the seed of the resampling", default = 0),
        "memory_mib": attr.int(doc = "the memory that an action may use", default = 2048),
    },
    toolchains = [PYTHON],
)
