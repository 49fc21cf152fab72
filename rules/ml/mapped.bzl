"""Actions that become known during the build: a tool for each partition, with those files only that it needs."""

load("@mlbuild//rules/python:run.bzl", "environment_of", "import_variables", "python_command")
load(":tools.bzl", "mnemonic_of")

def map_tool(ctx, tool, trees, inputs, outputs, params, implementation, imports = []):
    """Declares a `map_directory` whose `implementation` calls `run_mapped` for each action.

    `trees` and `outputs` are folders by name; `inputs` are files and depsets that every action gets.
    """
    env = environment_of(ctx)
    command = python_command(env, ctx.file._start)
    mounted = {path: each for path, each in command["mounts"].items()}
    files = {"mount:" + path: each for path, each in mounted.items() if type(each) == "File"}
    links = {path: each for path, each in mounted.items() if type(each) != "File"}
    direct = [each for each in inputs if type(each) != "depset"] + getattr(ctx.files, "_" + tool)
    transitive = [each for each in inputs if type(each) == "depset"]
    ctx.actions.map_directory(
        input_directories = trees,
        additional_inputs = files | {"inputs": depset(direct, transitive = transitive)},
        output_directories = outputs,
        additional_params = params | {
            "command": {
                "executable": command["executable"],
                "arguments": command["arguments"] + [tool],
                "env": command["env"] | import_variables(imports),
                "cpus": params.get("cpus") or env.threads,
                "platform": command["platform"],
                "links": links,
                "mnemonic": mnemonic_of(tool),
            },
        },
        mnemonic = mnemonic_of(tool),
        implementation = implementation,
    )

def run_mapped(template_ctx, tools, additional_inputs, params, arguments, inputs, outputs, message):
    """One action of a `map_tool`."""
    command = params["command"]
    mounts = dict(command["links"])
    for name, file in additional_inputs.items():
        if name.startswith("mount:"):
            mounts[name[len("mount:"):]] = file
    template_ctx.run(
        outputs = outputs,
        inputs = depset(inputs, transitive = [additional_inputs["inputs"]]),
        executable = command["executable"],
        arguments = command["arguments"] + arguments,
        env = command["env"],
        platform = command["platform"],
        mounts = mounts,
        mnemonic = command["mnemonic"],
        progress_message = message,
        cpus = command["cpus"],
        memory_mib = params.get("memory_mib", 1024),
    )
