"""`py_env`: an interpreter, locked packages and a numerics class; what every Python action runs in."""

load(":interpreter.bzl", "COMPILER", "collect_interpreter", "interpreter_mounts")
load(":local_packages.bzl", "local_trees")
load(":numerics.bzl", "NUMERICS", "numerics_environment")
load(":providers.bzl", "PyEnvInfo", "PyInterpreterInfo")
load(":run.bzl", "interpreter_argv", "run_python")
load(":wheels.bzl", "install_lock")

_FIXED = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PATH": "/python/bin:/python-packages/bin",
    # 2 January 1980: the first day that a zip file can hold in every time zone.
    "SOURCE_DATE_EPOCH": "315619200",
    "TZ": "UTC",
}

def _py_env_impl(ctx):
    name = ctx.label.name
    if ctx.attr.python or ctx.attr.libraries:
        interpreter = collect_interpreter(ctx, name, ctx.attr.python, ctx.file._compiler, ctx.attr.libraries)
    else:
        interpreter = ctx.attr._interpreter[PyInterpreterInfo]
    mounts = interpreter_mounts(interpreter.tree)
    locked = None
    if ctx.file.lock:
        # Made from a project by `mlbuild lock`, it has their packages already.
        is_chosen = ctx.file.requirements != None and ctx.file.requirements.basename == "pyproject.toml" and ctx.file.lock.basename != "uv.lock"
        locked = install_lock(
            ctx,
            name,
            ctx.file.lock,
            ctx.attr.python,
            interpreter.tree,
            ctx.file._compiler,
            [] if is_chosen else ctx.attr.extras,
            [] if is_chosen else ctx.attr.groups,
            local_trees(
                ctx,
                name,
                ctx.attr.packages,
                interpreter.tree,
                ctx.file._installer,
                ctx.file._layer,
            ),
        )
        mounts["python-packages"] = locked.packages
    elif ctx.attr.packages:
        fail("`{}` has `packages` and no `lock`: what they need themselves is locked, even if it is nothing".format(ctx.label))
    env = PyEnvInfo(
        mounts = mounts,
        argv = interpreter_argv(),
        env = _FIXED | numerics_environment(ctx.attr.numerics, ctx.attr.threads),
        platform = {"numerics": ctx.attr.numerics, "threads": str(ctx.attr.threads)},
        version = ctx.attr.python,
        packages = locked.packages if locked else None,
        threads = ctx.attr.threads,
    )
    installed = ctx.actions.declare_file(name + ".packages.txt")
    run_python(
        ctx,
        env,
        script = ctx.file._installed,
        inputs = [ctx.file._libraries],
        arguments = [installed.path],
        outputs = [installed],
        mnemonic = "PythonPackages",
        progress_message = "Listing the packages of {}".format(ctx.label),
    )
    return [
        DefaultInfo(files = depset([installed])),
        OutputGroupInfo(
            environment = depset([installed]),
            pins = depset([locked.pins] if locked else []),
            wheels = depset([locked.each] if locked else []),
        ),
        RunInfo(
            arguments = env.argv + [ctx.file._launcher.path],
            shell = env.argv + [ctx.file._launcher.path, "python"],
            env = env.env,
            inputs = depset([ctx.file._launcher]),
            mounts = mounts,
        ),
        ToolchainInfo(env = env),
        env,
    ]

py_env = rule(
    implementation = _py_env_impl,
    doc = "An interpreter, locked packages and a numerics class. Builds a list of what it consists of; a `toolchain` can offer it to all rules. `mlbuild run` starts its `python` or one of its packages' programs where you stand.",
    executable = True,
    attrs = {
        "python": attr.string(
            doc = "a version (`3.12`) or an absolute path; without, the interpreter that runs mlbuild",
        ),
        "lock": attr.label(
            doc = "requirements with hashes, as `mlbuild lock` makes them, a `uv.lock` or a `pylock.toml`; without, there are no packages",
            allow_single_file = True,
        ),
        "requirements": attr.label(
            doc = "what `mlbuild lock` makes the lock from, lines of requirements or a `pyproject.toml`; a build does not read it",
            allow_single_file = True,
        ),
        "packages": attr.label_list(
            doc = "packages of the workspace that are installed beside those of the lock: `py_wheel` and `py_library` targets, and wheels; what they need themselves belongs into `requirements`",
            allow_files = True,
        ),
        "constraints": attr.label(
            doc = "a file of versions that `mlbuild lock` keeps to, if the packages are needed at all",
            allow_single_file = True,
        ),
        "overrides": attr.label(
            doc = "a file of requirements that `mlbuild lock` takes in place of what packages say of each other",
            allow_single_file = True,
        ),
        "platforms": attr.string_list(
            doc = "what the lock must have wheels for, and is made for alone (`linux-x86_64`, `linux-aarch64`, `macos-arm64`, `macos-x86_64`, `windows-x86_64`); without, it is for every platform that the packages know",
        ),
        "extras": attr.string_list(doc = "optional dependencies of the project of a `uv.lock` or a `pyproject.toml` that are installed, too"),
        "groups": attr.string_list(doc = "dependency groups of the project of a `uv.lock` or a `pyproject.toml` that are installed, too"),
        "libraries": attr.string_list(
            doc = "shared libraries of this host that packages load beside their own (`libGL.so.1`); the list of packages names those that are missing",
        ),
        "numerics": attr.string(
            doc = "the numerics class: which processor instructions libraries may choose between",
            default = "avx2",
            values = sorted(NUMERICS),
        ),
        "threads": attr.int(
            doc = "how many threads libraries use, whatever the machine has: another number gives other bits",
            default = 1,
        ),
        "_compiler": attr.label(default = COMPILER, allow_single_file = True),
        "_installed": attr.label(default = "@mlbuild//rules/python:tools/installed.py", allow_single_file = True),
        "_libraries": attr.label(default = "@mlbuild//rules/python:tools/libraries.py", allow_single_file = True),
        "_installer": attr.label(default = "@mlbuild//rules/python:tools/install_wheel.py", allow_single_file = True),
        "_layer": attr.label(default = "@mlbuild//rules/python:tools/lay_modules.py", allow_single_file = True),
        "_launcher": attr.label(default = "@mlbuild//rules/python:tools/launch.py", allow_single_file = True),
        "_interpreter": attr.label(default = "@mlbuild//rules/python:interpreter", providers = [PyInterpreterInfo]),
    },
)
