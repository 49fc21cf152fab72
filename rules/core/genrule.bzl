"""`genrule`: files made by a shell command."""

load(":providers.bzl", "tools_command")

def _genrule_impl(ctx):
    outs = ctx.outputs.outs
    if not outs:
        fail("`%s` needs at least one name in `outs`" % ctx.label)
    srcs = ctx.files.srcs
    folder = outs[0].path.removesuffix("/" + ctx.attr.outs[0].name)
    variables = {
        "SRCS": " ".join([file.path for file in srcs]),
        "OUTS": " ".join([file.path for file in outs]),
        "RULEDIR": folder,
    }
    if len(srcs) == 1:
        variables["<"] = srcs[0].path
    if len(outs) == 1:
        variables["@"] = outs[0].path
        variables["@D"] = outs[0].dirname
    else:
        variables["@D"] = folder
    command = ctx.expand_make_variables("cmd", ctx.expand_location(ctx.attr.cmd), variables)
    tools = tools_command(ctx, ctx.attr.tools)
    ctx.actions.run_shell(
        outputs = outs,
        inputs = srcs,
        tools = ctx.files.tools,
        command = "set -e; " + command,
        env = tools.env,
        mounts = tools.mounts,
        mnemonic = "Genrule",
        progress_message = ctx.attr.message,
        timeout = ctx.attr.timeout,
        cpus = ctx.attr.cpus,
    )
    return [DefaultInfo(
        files = depset(outs),
        executable = outs[0] if ctx.attr.executable else None,
    )]

genrule = rule(
    implementation = _genrule_impl,
    doc = "Files made by a shell command.",
    attrs = {
        "srcs": attr.label_list(allow_files = True, doc = "what the command reads"),
        "outs": attr.output_list(mandatory = True, doc = "the files that the command makes"),
        "cmd": attr.string(
            mandatory = True,
            doc = "the command; `$(location X)`, `$(SRCS)`, `$<`, `$(OUTS)`, `$@`, `$(@D)`, `$(RULEDIR)` and names " +
                  "given with `--define` are replaced, `$$` is a dollar sign",
        ),
        "tools": attr.label_list(allow_files = True, doc = "programs that the command runs: files, or toolchains such as a `nix_toolchain`, whose programs are on its `PATH`"),
        "message": attr.string(doc = "what is shown while the command runs"),
        "executable": attr.bool(doc = "whether the one output is a program"),
        "timeout": attr.int(default = 3600, doc = "seconds after which the command is ended"),
        "cpus": attr.int(default = 1, doc = "how many cores the command uses"),
    },
    toolchains = ["@mlbuild//rules/shell:toolchain_type"],
)
