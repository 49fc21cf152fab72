load(":train.bzl", "trained")

trained(
    name = "boosting",
    packages = "boosting",
)

trained(
    name = "xgb",
    overrides = "no_gpu.in",
    packages = "xgb",
)

trained(
    name = "network",
    packages = "network",
)

trained(
    name = "tables",
    packages = "tables",
)
