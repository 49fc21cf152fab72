"""`step`: a file made by a Python script, as someone would write the rule who has not thought of the seed of hashes."""

load("@mlbuild//rules/python:run.bzl", "TOOLCHAIN", "environment_of", "python_command")

def _step_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    command = python_command(environment_of(ctx), ctx.file.src)
    ctx.actions.run(
        executable = command["executable"],
        arguments = command["arguments"] + [out.path],
        # The numerics of the environment would pin the seed of hashes, and the locale is the environment's too.
        env = {name: command["env"][name] for name in command["env"] if name not in ["PYTHONHASHSEED", "LC_ALL", "TZ"]},
        mounts = command["mounts"],
        platform = command["platform"],
        inputs = [ctx.file.src] + ctx.files.data,
        outputs = [out],
        mnemonic = "Step",
        cpus = ctx.attr.cpus,
    )
    return [DefaultInfo(files = depset([out]))]

step = rule(
    implementation = _step_impl,
    doc = "A file made by a script, which is given its path.",
    attrs = {
        "src": attr.label(doc = "the script", allow_single_file = [".py"], mandatory = True),
        "data": attr.label_list(doc = "what it reads", allow_files = True),
        "cpus": attr.int(doc = "how many processors it asks for", default = 1),
        "env": attr.label(doc = "the environment"),
    },
    toolchains = [TOOLCHAIN],
)
