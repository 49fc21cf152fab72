# What every action of this workspace runs in: the interpreter at hand, these packages and no others.
py_env(
    name = "train",
    lock = "requirements.lock",
    requirements = "requirements.in",
    visibility = ["//visibility:public"],
)

toolchain(
    name = "python",
    toolchain = ":train",
    toolchain_type = "@mlbuild//rules/python:toolchain_type",
)
