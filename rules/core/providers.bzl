"""What the rules without a language tell each other."""

ToolsInfo = provider(
    doc = "Programs that actions find on their `PATH`, with all that they need.",
    fields = {
        "mounts": "dict: path beside the exec root -> tree, or the target of a symlink",
        "path": "the folder of the programs, as actions see it",
    },
)

def tools_command(ctx, tools):
    """`mounts` and `env` for `ctx.actions.run_shell`, so that its command finds the programs of `tools`, a list of targets.

    Fails where two of them need the same place.
    """
    mounts = {}
    paths = []
    owners = {}
    for tool in tools:
        if ToolsInfo not in tool:
            continue
        info = tool[ToolsInfo]
        for path, tree in info.mounts.items():
            if path in owners:
                fail("`tools` of `{}`: `{}` and `{}` both need `/{}`; make one toolchain of both".format(
                    ctx.label,
                    owners[path],
                    tool.label,
                    path,
                ))
            owners[path] = tool.label
            mounts[path] = tree
        paths.append(info.path)
    if not mounts:
        return struct(mounts = {}, env = {})

    # What the shell's own programs find their libraries by would give others the wrong ones.
    return struct(mounts = mounts, env = {"LD_LIBRARY_PATH": "", "PATH": ":".join(paths + ["/shell/bin"])})
