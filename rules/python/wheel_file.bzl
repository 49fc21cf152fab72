"""`wheel_file`: one file out of a package on the package index, pinned by the hash of the wheel or sdist."""

load(":providers.bzl", "PyEnvInfo")
load(":run.bzl", "run_python")

def _wheel_file_impl(ctx):
    archive = ctx.actions.declare_file(ctx.label.name + ".archive")
    ctx.actions.fetch(
        output = archive,
        kind = "package_file",
        spec = {
            "package": ctx.attr.package,
            "version": ctx.attr.version,
            "sha256": ctx.attr.sha256,
            "filename": ctx.attr.filename,
        },
        progress_message = "Fetching {} {}".format(ctx.attr.package, ctx.attr.version),
    )
    member = ctx.actions.declare_file(ctx.label.name + "/" + ctx.attr.path.split("/")[-1])
    run_python(
        ctx,
        ctx.attr._env[PyEnvInfo],
        script = ctx.file._reader,
        arguments = [archive.path, ctx.attr.path, member.path],
        inputs = [archive],
        outputs = [member],
        mnemonic = "ArchiveMember",
        progress_message = "Reading {} out of {}".format(ctx.attr.path, ctx.attr.package),
    )
    return [DefaultInfo(files = depset([member]))]

wheel_file = rule(
    implementation = _wheel_file_impl,
    doc = "One file out of a package on the package index, pinned by the hash of the wheel or sdist.",
    attrs = {
        "package": attr.string(doc = "the package's name on the index", mandatory = True),
        "version": attr.string(doc = "its version", mandatory = True),
        "sha256": attr.string(doc = "the hash of the wheel or sdist", mandatory = True),
        "path": attr.string(doc = "the file's path inside it", mandatory = True),
        "filename": attr.string(doc = "the wheel's or sdist's own file name, where several have the hash"),
        "_env": attr.label(default = "@mlbuild//rules/python:bare", providers = [PyEnvInfo]),
        "_reader": attr.label(default = "@mlbuild//rules/python:tools/member.py", allow_single_file = True),
    },
)
