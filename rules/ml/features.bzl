"""`features`: a table computed by a plain function, partition by partition."""

load("@mlbuild//rules/ml:functions.bzl", "split_function")
load("@mlbuild//rules/ml:private/features.bzl", _features = "features")

def features(name, fn, fit = None, **kwargs):
    """A table computed by `fn` (FILE.py:FUNCTION), partition by partition, from the columns that it declares."""
    file, function = split_function(fn, "fn")
    if fit:
        kwargs["fit"], kwargs["fit_function"] = split_function(fit, "fit")
    _features(name = name, fn = file, function = function, **kwargs)
