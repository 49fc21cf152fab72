"""`py_library`: Python modules and what they import."""

load(":providers.bzl", "PyInfo")

SOURCES = {
    "srcs": attr.label_list(doc = "the Python files", allow_files = [".py"]),
    "deps": attr.label_list(doc = "libraries that they import", providers = [PyInfo]),
    "data": attr.label_list(doc = "files that they read when they run", allow_files = True),
    "imports": attr.string_list(
        doc = "further folders to import from, relative to the package; the workspace's root is always one",
    ),
}

def collect_sources(ctx):
    """The `PyInfo` of a rule with the attributes `SOURCES`."""
    deps = [dep[PyInfo] for dep in ctx.attr.deps]
    root = _root(ctx)
    here = "/".join([part for part in [root, ctx.label.package] if part])
    own = [root or "."] + ["/".join([part for part in [here, each] if part]) for each in ctx.attr.imports]
    return PyInfo(
        transitive_sources = depset(ctx.files.srcs, transitive = [dep.transitive_sources for dep in deps]),
        data = depset(ctx.files.data, transitive = [dep.data for dep in deps]),
        imports = depset(own, transitive = [dep.imports for dep in deps]),
    )

def _root(ctx):
    """The folder of the target's repository in the exec root."""
    return ctx.label.workspace_root

def _py_library_impl(ctx):
    info = collect_sources(ctx)
    return [DefaultInfo(files = depset(ctx.files.srcs)), info]

py_library = rule(
    implementation = _py_library_impl,
    doc = "Python modules and what they import.",
    attrs = SOURCES,
)
