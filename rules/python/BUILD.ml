load(":env.bzl", "py_env")
load(":interpreter.bzl", "py_interpreter")

# What a Python toolchain gives: `env`, a `PyEnvInfo`.
toolchain_type(
    name = "toolchain_type",
    visibility = ["//visibility:public"],
)

# The interpreter that runs mlbuild.
py_interpreter(
    name = "interpreter",
    visibility = ["//visibility:public"],
)

# The same with no packages: for tools that need the standard library only.
py_env(
    name = "bare",
    visibility = ["//visibility:public"],
)

toolchain(
    name = "host",
    toolchain = ":bare",
    toolchain_type = ":toolchain_type",
    visibility = ["//visibility:public"],
)

exports_files(
    [
        "tools/build_wheel.py",
        "tools/bytecode.py",
        "tools/install_wheel.py",
        "tools/installed.py",
        "tools/launch.py",
        "tools/lay_modules.py",
        "tools/libraries.py",
        "tools/member.py",
        "tools/test_main.py",
    ],
    visibility = ["//visibility:public"],
)
