"""`model`: what a training function makes of the rows of a part."""

load("@mlbuild//rules/ml:functions.bzl", "split_function")
load("@mlbuild//rules/ml:private/model.bzl", _model = "model")

def model(name, fn, predict, **kwargs):
    """A model trained by `fn` and asked by `predict` (each FILE.py:FUNCTION)."""
    file, function = split_function(fn, "fn")
    predict_file, predict_function = split_function(predict, "predict")
    _model(
        name = name,
        fn = file,
        function = function,
        predict = predict_file,
        predict_function = predict_function,
        **kwargs
    )
