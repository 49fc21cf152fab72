"""`py_interpreter`: an interpreter of this host, collected by digest, with bytecode."""

load(":providers.bzl", "PyInterpreterInfo")
load(":run.bzl", "interpreter_argv")

COMPILER = "@mlbuild//rules/python:tools/bytecode.py"

_CPUS = 2

def collect_interpreter(ctx, name, python, compiler, libraries = []):
    """Declares the actions that make an interpreter's trees, named after `name`; gives their `PyInterpreterInfo`."""
    raw = ctx.actions.declare_directory(name + ".host_python")
    ctx.actions.fetch(
        output = raw,
        kind = "interpreter",
        spec = {"python": python} | ({"libraries": " ".join(libraries)} if libraries else {}),
        progress_message = "Collecting Python {}".format(python or "of this host"),
    )
    tree = ctx.actions.declare_directory(name + ".python")
    compile_tree(ctx.actions, raw, tree, raw, "/python", compiler)
    return PyInterpreterInfo(raw = raw, tree = tree, python = python)

def compile_tree(actions, source, tree, interpreter, mount, compiler):
    """Declares the action that makes `tree`: `source` with the bytecode of its modules, as seen at `mount`.

    `actions` is what has `run`: `ctx.actions`, or the `template_ctx` of a `map_directory`.
    """
    argv = interpreter_argv()
    actions.run(
        outputs = [tree],
        inputs = [source, compiler],
        executable = argv[0],
        arguments = argv[1:] + [compiler.path, source.path, tree.path, mount, str(_CPUS)],
        env = {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"},
        mounts = interpreter_mounts(interpreter),
        mnemonic = "PythonBytecode",
        progress_message = "Compiling the modules of {}".format(source.short_path),
        cpus = _CPUS,
        memory_mib = 512,
        # Two environments with the same package compile it once.
        execution_requirements = {"supports-path-mapping": "1"},
    )

def interpreter_mounts(tree):
    """An interpreter's tree, and the links by which the kernel and the loader find it when one program starts another."""
    return {"python": tree, "lib": "python/lib", "lib64": "python/lib"}

def _py_interpreter_impl(ctx):
    info = collect_interpreter(ctx, ctx.label.name, ctx.attr.python, ctx.file._compiler)
    return [DefaultInfo(files = depset([info.tree])), info]

py_interpreter = rule(
    implementation = _py_interpreter_impl,
    doc = "An interpreter of this host with its standard library and all that they load, as one tree.",
    attrs = {
        "python": attr.string(
            doc = "a version (`3.12`) or an absolute path; without, the interpreter that runs mlbuild",
        ),
        "_compiler": attr.label(default = COMPILER, allow_single_file = True),
    },
)
