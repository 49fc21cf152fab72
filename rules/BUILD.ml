# The Starlark of the rules. `prelude.bzl` is what every BUILD file sees without `load`.
exports_files(
    ["prelude.bzl"],
    visibility = ["//visibility:public"],
)
