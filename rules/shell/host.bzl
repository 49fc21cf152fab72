"""`host_shell`: `sh` and the POSIX tools of this host, collected by digest."""

def _host_shell_impl(ctx):
    tree = ctx.actions.declare_directory(ctx.label.name + ".tools")
    ctx.actions.fetch(
        output = tree,
        kind = "host_tools",
        spec = {"tools": " ".join(ctx.attr.tools), "optional": " ".join(ctx.attr.optional)},
        progress_message = "Collecting the shell's tools",
    )
    return [
        DefaultInfo(files = depset([tree])),
        ToolchainInfo(
            mounts = {"shell": tree, "lib": "shell/lib", "lib64": "shell/lib"},
            argv = ["../shell/lib/ld.so", "--library-path", "../shell/lib", "../shell/bin/sh"],
            env = {
                "LANG": "C.UTF-8",
                "LC_ALL": "C.UTF-8",
                "LD_LIBRARY_PATH": "/shell/lib",
                "PATH": "/shell/bin",
                "TZ": "UTC",
            },
        ),
    ]

host_shell = rule(
    implementation = _host_shell_impl,
    doc = "`sh` and POSIX tools of this host with what they load: what `genrule` and `ctx.actions.run_shell` run in.",
    attrs = {
        "tools": attr.string_list(doc = "programs that must be there", mandatory = True),
        "optional": attr.string_list(doc = "programs that are taken where this host has them"),
    },
)
