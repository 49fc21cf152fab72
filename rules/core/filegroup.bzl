"""`filegroup`: files under one name."""

def _filegroup_impl(ctx):
    return [DefaultInfo(files = depset(transitive = [src.files for src in ctx.attr.srcs]))]

filegroup = rule(
    implementation = _filegroup_impl,
    doc = "Files under one name.",
    attrs = {
        "srcs": attr.label_list(allow_files = True, doc = "the files, and targets whose files are meant"),
    },
)
