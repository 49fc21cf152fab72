"""A lock's packages as one tree, put together from a tree of each wheel."""

load(":interpreter.bzl", "compile_tree")

_MOUNT = "/python-packages"

def install_lock(ctx, name, lock, python, interpreter, compiler, extras = [], groups = [], local = []):
    """Declares the actions that install `lock`; gives the tree of all its `packages`, the directory `each` that has a tree of every one, and its `pins`.

    Each package of the lock is installed and compiled by itself, so that a change of one leaves the others as they are.
    The trees are then laid over each other, which copies nothing.

    Args:
      ctx: the rule's.
      name: what the trees are named after.
      lock: the file.
      python: which interpreter the wheels are for, as `py_env` takes it.
      interpreter: its tree.
      compiler: the program that adds bytecode.
      extras: optional dependencies of a `uv.lock` to install, too.
      groups: its dependency groups to install, too.
      local: trees of packages that come from the workspace, without bytecode.
    """
    pins = ctx.actions.declare_directory(name + ".pins")
    ctx.actions.fetch(
        output = pins,
        kind = "pins",
        spec = {"python": python, "extras": " ".join(extras), "groups": " ".join(groups)},
        inputs = [lock],
        progress_message = "Reading {}".format(lock.short_path),
    )
    wheels = ctx.actions.declare_directory(name + ".wheels")
    compiled = ctx.actions.declare_directory(name + ".compiled_wheels")
    ctx.actions.map_directory(
        input_directories = {"pins": pins},
        output_directories = {"wheels": wheels, "compiled": compiled},
        additional_inputs = {"interpreter": interpreter, "compiler": compiler} | {
            "local/{}".format(index): tree
            for index, tree in enumerate(local)
        },
        additional_params = {"python": python, "lock": lock.short_path},
        implementation = _install_each,
        mnemonic = "PythonWheel",
    )
    packages = ctx.actions.declare_directory(name + ".python_packages")
    ctx.actions.merge_subdirectories(output = packages, directory = compiled)
    return struct(packages = packages, each = compiled, pins = pins)

def _install_each(template_ctx, input_directories, output_directories, additional_inputs, additional_params, tools):
    for key, tree in additional_inputs.items():
        if key.startswith("local/"):
            # No package's name begins with `_`.
            compile_tree(
                template_ctx,
                tree,
                template_ctx.declare_subdirectory("_" + key.replace("/", "-"), directory = output_directories["compiled"]),
                additional_inputs["interpreter"],
                _MOUNT,
                additional_inputs["compiler"],
            )
    for pin in input_directories["pins"].children:
        name = pin.basename.removesuffix(".txt")
        wheel = template_ctx.declare_subdirectory(name, directory = output_directories["wheels"])
        template_ctx.fetch(
            output = wheel,
            kind = "wheels",
            spec = {"python": additional_params["python"], "lock": additional_params["lock"]},
            inputs = [pin],
            progress_message = "Installing {}".format(name),
        )
        compile_tree(
            template_ctx,
            wheel,
            template_ctx.declare_subdirectory(name, directory = output_directories["compiled"]),
            additional_inputs["interpreter"],
            _MOUNT,
            additional_inputs["compiler"],
        )
