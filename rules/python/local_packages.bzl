"""Packages of an environment that come from the workspace: wheels that it has or builds, and libraries."""

load(":interpreter.bzl", "interpreter_mounts")
load(":providers.bzl", "PyInfo", "PyWheelInfo")
load(":run.bzl", "interpreter_argv")

def local_trees(ctx, name, targets, interpreter, installer, layer):
    """Declares the actions that lay out `targets`; gives a tree without bytecode for each.

    Args:
      ctx: the rule's.
      name: what the trees are named after.
      targets: a list of targets with a `PyWheelInfo`, a `PyInfo`, or one file that is a wheel.
      interpreter: the tree that the programs run in.
      installer: the program that installs a wheel.
      layer: the program that lays out modules.
    """
    trees = []
    for index, target in enumerate(targets):
        tree = ctx.actions.declare_directory("{}.local_packages/{}".format(name, index))
        trees.append(tree)
        if PyInfo in target and PyWheelInfo not in target:
            info = target[PyInfo]
            files = depset(transitive = [info.transitive_sources, info.data]).to_list()
            arguments = [layer.path, tree.path, ":".join(info.imports.to_list())] + [file.path for file in files]
            inputs = [layer] + files
        else:
            files = target[PyWheelInfo].wheel if PyWheelInfo in target else target.files.to_list()
            files = files if type(files) == "list" else [files]
            if len(files) != 1 or not files[0].basename.endswith(".whl"):
                fail("`packages` of `{}`: `{}` is neither a wheel nor a library".format(ctx.label, target.label))
            arguments = [installer.path, files[0].path, tree.path]
            inputs = [installer] + files
        argv = interpreter_argv()
        ctx.actions.run(
            outputs = [tree],
            inputs = inputs,
            executable = argv[0],
            arguments = argv[1:] + arguments,
            env = {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"},
            mounts = interpreter_mounts(interpreter),
            mnemonic = "PythonLocalPackage",
            progress_message = "Installing {}".format(target.label),
            memory_mib = 512,
        )
    return trees
