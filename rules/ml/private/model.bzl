"""The rule behind `model`: `fn` and `predict` as the macro has taken them apart."""

load("@mlbuild//rules/ml:functions.bzl", "code_attributes", "function_attribute", "function_of")
load("@mlbuild//rules/ml:providers.bzl", "DatasetInfo", "ModelInfo")
load("@mlbuild//rules/ml:tools.bzl", "PYTHON", "tool_attributes")
load("@mlbuild//rules/ml:training.bzl", "train", "training_attributes", "write_params")
load("@mlbuild//rules/python:run.bzl", "environment_of")

def _impl(ctx):
    attr = ctx.attr
    params = write_params(ctx)
    trained = train(ctx, function_of(ctx, ctx.file.fn, attr.function), params)
    return [
        DefaultInfo(files = depset([trained.model, trained.metrics])),
        OutputGroupInfo(report = depset([trained.report])),
        ModelInfo(
            name = str(ctx.label),
            model = trained.model,
            metrics = trained.metrics,
            predict = function_of(ctx, ctx.file.predict, attr.predict_function),
            features = attr.features[DatasetInfo],
            label = attr.label,
            query = attr.query,
            params = params,
            files = ctx.files.data,
            seed = attr.seed,
            env = environment_of(ctx),
        ),
    ]

model = rule(
    implementation = _impl,
    doc = "A model trained by a plain function. Outputs: the folder that the function has written, and its metrics as JSON.",
    attrs = tool_attributes("report_model", "split_rows", "train_model") | code_attributes() | training_attributes() | {
        "fn": function_attribute("the training function, FILE.py:FUNCTION: `train(train, valid, *, params, seed, out) -> dict` of metrics; of the keywords it takes those that it names, `label` and `query` too", mandatory = True),
        "function": attr.string(doc = "its name; the macro fills it in", mandatory = True),
        "predict": function_attribute("the function that scores rows, FILE.py:FUNCTION: `predict(model, rows)` gives one number for each row", mandatory = True),
        "predict_function": attr.string(doc = "its name; the macro fills it in", mandatory = True),
    },
    toolchains = [PYTHON],
)
