"""The rule behind `baseline`: `fn` and `predict` as the macro has taken them apart."""

load("@mlbuild//rules/ml:functions.bzl", "code_attributes", "function_attribute", "function_of")
load("@mlbuild//rules/ml:providers.bzl", "DatasetInfo", "ModelInfo")
load("@mlbuild//rules/ml:tools.bzl", "PYTHON", "tool_attributes")
load("@mlbuild//rules/ml:training.bzl", "train", "training_attributes", "write_params")
load("@mlbuild//rules/python:run.bzl", "environment_of")

def _impl(ctx):
    attr = ctx.attr
    params = write_params(ctx)
    trained = train(ctx, function_of(ctx, ctx.file.fn, attr.function), params) if attr.fn else None
    return [
        DefaultInfo(files = depset([trained.model, trained.metrics] if trained else [params])),
        OutputGroupInfo(report = depset([trained.report] if trained else [])),
        ModelInfo(
            name = str(ctx.label),
            model = trained.model if trained else None,
            metrics = trained.metrics if trained else None,
            predict = function_of(ctx, ctx.file.predict, attr.predict_function),
            features = attr.features[DatasetInfo] if attr.features else None,
            label = attr.label,
            query = attr.query,
            params = params,
            files = ctx.files.data,
            seed = attr.seed,
            env = environment_of(ctx),
        ),
    ]

baseline = rule(
    implementation = _impl,
    doc = "What a model must be better than. Most need no training; one that does is given `fn` and what a `model` is given.",
    attrs = tool_attributes("report_model", "split_rows", "train_model") | code_attributes() | training_attributes() | {
        "fn": function_attribute("a training function, FILE.py:FUNCTION, if the baseline learns something"),
        "function": attr.string(doc = "its name; the macro fills it in"),
        "predict": function_attribute("the function that scores rows, FILE.py:FUNCTION: `predict(rows)`, with `model` if the baseline learns", mandatory = True),
        "predict_function": attr.string(doc = "its name; the macro fills it in", mandatory = True),
    },
    toolchains = [PYTHON],
)
