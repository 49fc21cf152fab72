"""`baseline`: what a model must be better than."""

load("@mlbuild//rules/ml:functions.bzl", "split_function")
load("@mlbuild//rules/ml:private/baseline.bzl", _baseline = "baseline")

def baseline(name, predict, fn = None, **kwargs):
    """A baseline asked by `predict`, and trained by `fn` if it learns something (each FILE.py:FUNCTION)."""
    file, function = split_function(predict, "predict")
    if fn:
        kwargs["fn"], kwargs["function"] = split_function(fn, "fn")
    _baseline(name = name, predict = file, predict_function = function, **kwargs)
