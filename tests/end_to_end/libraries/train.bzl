load("@mlbuild//rules/python:env.bzl", "py_env")
load("@mlbuild//rules/python:run.bzl", "TOOLCHAIN", "environment_of", "python_command")

def _train_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    command = python_command(environment_of(ctx), ctx.file.src)
    ctx.actions.run(
        executable = command["executable"],
        arguments = command["arguments"] + [out.path],
        env = command["env"],
        mounts = command["mounts"],
        platform = command["platform"],
        inputs = [ctx.file.src],
        outputs = [out],
        mnemonic = "Train",
    )
    return [DefaultInfo(files = depset([out]))]

_train = rule(
    implementation = _train_impl,
    attrs = {"src": attr.label(allow_single_file = [".py"], mandatory = True), "env": attr.label()},
    toolchains = [TOOLCHAIN],
)

def trained(name, packages, overrides = None):
    py_env(
        name = packages + "_env",
        python = "/usr/bin/python3",
        lock = packages + ".lock",
        requirements = packages + ".in",
        overrides = overrides,
        platforms = ["linux-x86_64"],
    )
    _train(name = name, src = name + ".py", env = ":" + packages + "_env")
