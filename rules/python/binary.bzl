"""`py_binary`: a Python program, run by `mlbuild run` in its environment."""

load(":library.bzl", "SOURCES", "collect_sources")
load(":run.bzl", "TOOLCHAIN", "environment_attribute", "environment_of", "import_variables", "python_command")

def main_file(ctx):
    """The file that is run: `main`, else the one of `srcs` that is called like the target, else the only one."""
    if ctx.file.main:
        return ctx.file.main
    named = [file for file in ctx.files.srcs if file.basename == ctx.label.name + ".py"]
    if named:
        return named[0]
    if len(ctx.files.srcs) == 1:
        return ctx.files.srcs[0]
    fail("which of its {} files does `{}` run? say it with `main`".format(len(ctx.files.srcs), ctx.label))

def _py_binary_impl(ctx):
    info = collect_sources(ctx)
    env = environment_of(ctx)
    main = main_file(ctx)
    command = python_command(env, main)
    return [
        DefaultInfo(files = depset([main])),
        RunInfo(
            arguments = [command["executable"]] + command["arguments"] + ctx.attr.args,
            shell = env.argv + [ctx.file._launcher.path, "--imports=" + main.dirname, "python"],
            env = command["env"] | import_variables(info.imports.to_list()),
            inputs = depset([main, ctx.file._launcher], transitive = [info.transitive_sources, info.data]),
            mounts = command["mounts"],
        ),
        info,
    ]

py_binary = rule(
    implementation = _py_binary_impl,
    doc = "A Python program, run by `mlbuild run` in its environment.",
    executable = True,
    attrs = SOURCES | {
        "main": attr.label(doc = "the file to run", allow_single_file = [".py"]),
        "args": attr.string_list(doc = "arguments that it always gets first"),
        "env": environment_attribute(),
        "_launcher": attr.label(default = "@mlbuild//rules/python:tools/launch.py", allow_single_file = True),
    },
    toolchains = [TOOLCHAIN],
)
