"""How Python actions are declared."""

load(":providers.bzl", "PyEnvInfo")

TOOLCHAIN = "@mlbuild//rules/python:toolchain_type"

def interpreter_argv():
    """What starts the interpreter of the mount `python`.

    The loader is called by name, so that the same command runs on a worker where `/lib64` is another system's. No user
    site (`-s`) and nothing written beside sources (`-B`); not `-I`, which would ignore PYTHONHASHSEED.
    """
    return ["../python/lib/ld.so", "--library-path", "../python/lib", "../python/bin/python3", "-s", "-B"]

def environment_attribute():
    """The attribute `env` of a rule that runs Python."""
    return attr.label(
        doc = "the `py_env` to run in; without, that of the registered Python toolchain",
        providers = [PyEnvInfo],
    )

def environment_of(ctx):
    """The `PyEnvInfo` of the attribute `env`, or of the toolchain."""
    return ctx.attr.env[PyEnvInfo] if ctx.attr.env else ctx.toolchains[TOOLCHAIN].env

def python_command(env, script):
    """How to run `script` in `env`, as keyword arguments for `template_ctx.run`: append your own to `arguments`."""
    return {
        "executable": env.argv[0],
        "arguments": env.argv[1:] + [script.path],
        "env": env.env,
        "mounts": env.mounts,
        "platform": env.platform,
    }

def run_python(
        ctx,
        env,
        script,
        outputs,
        arguments = [],
        inputs = [],
        variables = {},
        imports = [],
        mnemonic = "Python",
        progress_message = "",
        cpus = 0,
        memory_mib = 1024,
        **kwargs):
    """Declares an action that runs a Python file.

    Args:
      ctx: the rule's.
      env: a `PyEnvInfo`.
      script: the file.
      outputs: what it makes.
      arguments: strings and `Args`, or one `Args`.
      inputs: a list of files or a depset, beside the script.
      variables: further environment variables.
      imports: folders, relative to the exec root, that modules are imported from.
      mnemonic: the action's kind.
      progress_message: what is shown while it runs.
      cpus: how many it uses; without, the environment's threads.
      memory_mib: how much memory it uses.
      **kwargs: as of `ctx.actions.run`.
    """
    command = python_command(env, script)
    given = arguments if type(arguments) == "list" else [arguments]
    needed = depset([script] + inputs) if type(inputs) == "list" else depset([script], transitive = [inputs])
    ctx.actions.run(
        outputs = outputs,
        inputs = needed,
        executable = command["executable"],
        arguments = command["arguments"] + given,
        env = command["env"] | import_variables(imports) | variables,
        mounts = command["mounts"],
        platform = command["platform"],
        mnemonic = mnemonic,
        progress_message = progress_message,
        cpus = cpus or env.threads,
        memory_mib = memory_mib,
        **kwargs
    )

def import_variables(imports):
    """The variables that make modules importable from `imports`, folders relative to the exec root."""
    return {"PYTHONPATH": ":".join(imports)} if imports else {}
