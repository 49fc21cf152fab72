"""What the Python rules tell each other."""

PyInterpreterInfo = provider(
    doc = "An interpreter with its standard library and all that they load, as one tree.",
    fields = {
        "raw": "the tree as it was collected from the host",
        "tree": "the same with bytecode; mounted at `python`",
        "python": "which interpreter was asked for: empty for the one that runs mlbuild, a version, or a path",
    },
)

PyEnvInfo = provider(
    doc = "An environment that Python actions run in.",
    fields = {
        "mounts": "dict: path beside the exec root -> tree, or the target of a symlink",
        "argv": "list of strings that start the interpreter, with a working folder of the exec root",
        "env": "dict of environment variables: the numerics class, threads, hash seed, locale",
        "platform": "dict of platform properties: `numerics`, `threads`",
        "version": "which interpreter was asked for (empty: the one that runs mlbuild)",
        "packages": "the tree of installed packages with bytecode, or None",
        "threads": "how many threads libraries may use: what an action declares as its cpus",
    },
)

PyWheelInfo = provider(
    doc = "A wheel that a `py_env` can take among its `packages`.",
    fields = {"wheel": "the file"},
)

PyInfo = provider(
    doc = "Python sources with all that they import.",
    fields = {
        "transitive_sources": "depset of source files",
        "data": "depset of files that the sources read when they run",
        "imports": "depset of folders, relative to the exec root, that modules are imported from",
    },
)
