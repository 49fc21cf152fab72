"""`py_test`: a test by pytest, or a script that exits with zero when all is well."""

load(":library.bzl", "SOURCES", "collect_sources")
load(":run.bzl", "TOOLCHAIN", "environment_attribute", "environment_of", "run_python")

def _py_test_impl(ctx):
    info = collect_sources(ctx)
    log = ctx.actions.declare_file(ctx.label.name + ".log")
    report = ctx.actions.declare_file(ctx.label.name + ".xml")
    if not ctx.files.srcs:
        fail("`{}` has no `srcs`: name the test's file".format(ctx.label))
    run_python(
        ctx,
        environment_of(ctx),
        script = ctx.file._runner,
        arguments = [log.path, report.path] + [file.path for file in ctx.files.srcs] + ["--"] + ctx.attr.args,
        inputs = depset(transitive = [info.transitive_sources, info.data]),
        outputs = [log, report],
        imports = info.imports.to_list(),
        mnemonic = "PyTest",
        progress_message = "Testing {}".format(ctx.label),
        timeout = ctx.attr.timeout,
        memory_mib = ctx.attr.memory_mib,
    )
    return [
        DefaultInfo(files = depset(ctx.files.srcs)),
        TestInfo(results = [log, report]),
        info,
    ]

py_test = rule(
    implementation = _py_test_impl,
    doc = "A test: by pytest when its files define tests, else the first file run as a script. Leaves a log and JUnit XML.",
    test = True,
    attrs = SOURCES | {
        "args": attr.string_list(doc = "arguments for pytest or the script"),
        "env": environment_attribute(),
        "timeout": attr.int(doc = "after how many seconds it has failed", default = 300),
        "memory_mib": attr.int(doc = "how much memory it needs", default = 1024),
        "_runner": attr.label(default = "@mlbuild//rules/python:tools/test_main.py", allow_single_file = True),
    },
    toolchains = [TOOLCHAIN],
)
