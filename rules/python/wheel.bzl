"""`py_wheel`: a wheel built from source in the sandbox, without network."""

load(":providers.bzl", "PyEnvInfo", "PyWheelInfo")
load(":run.bzl", "run_python")

def _py_wheel_impl(ctx):
    if bool(ctx.file.sdist) == bool(ctx.file.pyproject):
        fail("`{}` needs either an `sdist` or a `pyproject`".format(ctx.label))
    if ctx.file.sdist and ctx.files.srcs:
        fail("`srcs` of `{}` are for a `pyproject`: an `sdist` has its files".format(ctx.label))
    source = ctx.file.sdist or ctx.file.pyproject
    files = [file for file in ctx.files.srcs if file != source]
    wheel = ctx.actions.declare_file(ctx.label.name + ".whl")
    run_python(
        ctx,
        ctx.attr.build_env[PyEnvInfo],
        script = ctx.file._builder,
        arguments = [wheel.path, source.path] + [file.path for file in files],
        inputs = [source] + files,
        outputs = [wheel],
        mnemonic = "PythonWheel",
        progress_message = "Building {}".format(ctx.label),
    )
    return [DefaultInfo(files = depset([wheel])), PyWheelInfo(wheel = wheel)]

py_wheel = rule(
    implementation = _py_wheel_impl,
    doc = "A wheel built from source by the project's own backend, in a sandbox without network: all that the build needs is in `build_env`. A `py_env` takes it among its `packages`.",
    attrs = {
        "sdist": attr.label(doc = "the source distribution, such as an `http_file`", allow_single_file = True),
        "pyproject": attr.label(
            doc = "the `pyproject.toml` of a project in the workspace instead",
            allow_single_file = [".toml"],
        ),
        "srcs": attr.label_list(doc = "the files of that project", allow_files = True),
        "build_env": attr.label(
            doc = "the environment that has the build backend and what it needs",
            mandatory = True,
            providers = [PyEnvInfo],
        ),
        "_builder": attr.label(default = "@mlbuild//rules/python:tools/build_wheel.py", allow_single_file = True),
    },
)
