"""`http_file`: a file from the web, pinned by its hash."""

def _http_file_impl(ctx):
    path = ctx.attr.url.split("#")[0].split("?")[0].rstrip("/")
    file = ctx.actions.declare_file(ctx.label.name + "/" + (ctx.attr.filename or path.split("/")[-1]))
    ctx.actions.fetch(
        output = file,
        kind = "http",
        spec = {"url": ctx.attr.url, "sha256": ctx.attr.sha256},
        progress_message = "Fetching {}".format(file.basename),
    )
    return [DefaultInfo(files = depset([file]))]

http_file = rule(
    implementation = _http_file_impl,
    doc = "A file from the web, pinned by its hash.",
    attrs = {
        "url": attr.string(doc = "where it is: `https://`, `http://` or `file://`", mandatory = True),
        "sha256": attr.string(doc = "its hash, as `sha256sum FILE` prints it", mandatory = True),
        "filename": attr.string(doc = "what to call it; without, the last part of the address"),
    },
)
