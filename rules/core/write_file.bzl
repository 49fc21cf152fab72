"""`write_file`: a file whose content the BUILD file says."""

def _write_file_impl(ctx):
    lines = "".join([line + "\n" for line in ctx.attr.content])
    ctx.actions.write(ctx.outputs.out, lines, is_executable = ctx.attr.is_executable)
    return [DefaultInfo(
        files = depset([ctx.outputs.out]),
        executable = ctx.outputs.out if ctx.attr.is_executable else None,
    )]

write_file = rule(
    implementation = _write_file_impl,
    doc = "A file whose content the BUILD file says.",
    attrs = {
        "out": attr.output(mandatory = True, doc = "the file"),
        "content": attr.string_list(doc = "its lines"),
        "is_executable": attr.bool(doc = "whether it is a program"),
    },
)
