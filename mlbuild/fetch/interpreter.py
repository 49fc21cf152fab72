"""A Python interpreter of this host with its standard library and all that they load, as one relocatable tree.

What cannot be made the same for two installations of one version: the interpreter's own binaries, where their build
wrote its prefix into them (CPython keeps it as a last resort for finding its library, and pyenv as an `RPATH`). Copies
of one installation at different places give the same tree.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.fetch.closure import ALWAYS, Closure, host_folders, library_closure
from mlbuild.fetch.collected import Plan
from mlbuild.fetch.elf import BadElf, read_elf
from mlbuild.fetch.tree import HostFile, Link, Made, Piece, unreadable, walk_files
from mlbuild.records import record

MOUNT = "/python"
"""Where actions find the interpreter; bytecode and scripts name this path."""

PACKAGES_FROM_SITE = "../../../../python-packages"
"""The packages of the environment as seen from `lib/python3.X/site-packages`."""

_SKIPPED = (
    "__pycache__", "dist-packages", "ensurepip", "idlelib", "lib2to3", "site-packages", "sitecustomize.py",
    "test", "tests", "tkinter", "turtle.py", "turtledemo", "usercustomize.py",
)  # fmt: skip
_SKIPPED_SUFFIXES = (".a", ".o", ".pyc", ".pyo", ".exe")
_SKIPPED_MODULES = ("_test", "_tkinter.", "_xx", "xx")
_SYSCONFIG = re.compile(r"_sysconfigdata_\w*[\w-]*\.py\Z")
_VERSION = re.compile(r"\d+(\.\d+){0,2}([a-z]+\d*)?t?\Z")
_SHARED = ("/", "/usr")
"""Prefixes that many installations share: they tell nothing about this one."""

_QUESTION = (
    "import os,sys;"
    "print('\\n'.join(map(os.fsdecode,(getattr(sys,'_base_executable',sys.executable),sys.base_prefix,"
    "os.path.dirname(os.__file__),getattr(sys,'platlibdir','lib'),'%d.%d.%d'%sys.version_info[:3],sys.implementation.name))))"
)


@record
class Interpreter:
    """An installed interpreter, never a virtual environment's."""

    executable: str
    prefix: str
    standard_library: str
    platform_library_folder: str
    version: str
    implementation: str = "cpython"

    @property
    def short_version(self) -> str:
        return ".".join(self.version.split(".")[:2])


def find_interpreter(asked: str, uv: str, environment: Mapping[str, str]) -> Interpreter:
    """The interpreter asked for: "" is the running one's base, else a version for uv to find, or a path.

    Raises:
        UserError: if there is none, or it cannot be used.
    """
    if not asked:
        found = _running()
    elif _VERSION.match(asked):
        found = _ask(_find_version(asked, uv, environment), asked)
    elif asked.startswith("/"):
        found = _ask(asked, asked)
    else:
        raise fail(
            "no-such-interpreter",
            f"`{asked}` is neither a version nor an absolute path of a Python interpreter",
            hint='write `python = "3.12"`, or leave it out for the one that runs mlbuild',
        )
    if found.implementation != "cpython":
        raise fail("no-such-interpreter", f"`{found.executable}` is {found.implementation}: only CPython can be used")
    return found


def plan_interpreter(
    interpreter: Interpreter, also_watched: Iterable[str] = (), libraries: Collection[str] = ()
) -> Plan:
    """The tree's pieces: `bin/python3`, `lib/ld.so`, `lib/*.so*`, `lib/python3.X/`, with further `libraries` by their names.

    Raises:
        UserError: if a file cannot be read, or this host lacks a library.
    """
    library = f"lib/{os.path.basename(interpreter.standard_library)}"
    try:
        files, folders = walk_files(interpreter.standard_library, _SKIPPED)
    except OSError as error:
        raise unreadable(error.filename or interpreter.standard_library, error) from None
    pieces: dict[str, Piece] = {
        "bin/python3": HostFile(interpreter.executable, is_executable=True),
        "bin/python": Link("python3"),
        f"{library}/site-packages/mlbuild.pth": Made(PACKAGES_FROM_SITE.encode() + b"\n"),
    }
    if interpreter.platform_library_folder != "lib":
        pieces[interpreter.platform_library_folder] = Link("lib")
    modules: list[str] = []
    for path in files:
        if not _is_kept(path):
            continue
        real = os.path.realpath(os.path.join(interpreter.standard_library, path))
        if not os.path.isfile(real):
            continue
        if _SYSCONFIG.match(os.path.basename(path)):
            pieces[f"{library}/{path}"] = Made(_without_prefix(real, interpreter.prefix))
            modules.append(real)
            continue
        pieces[f"{library}/{path}"] = HostFile(real)
        if path.startswith("lib-dynload/"):
            modules.append(real)
    if _uses_dist_packages(interpreter.standard_library):
        pieces[f"{library}/dist-packages"] = Link("site-packages")
    shared, searched = _closure(interpreter.executable, modules, libraries)
    pieces.update(shared)
    stdlib_folders = (os.path.join(interpreter.standard_library, folder) for folder in folders if _is_kept(folder))
    return Plan(pieces, tuple(sorted({*stdlib_folders, *modules, *searched, *also_watched})))


def library_pieces(closure: Closure) -> dict[str, Piece]:
    """`lib/` of a tree: each library by the name that it is asked for, each loader by its own and the first as `ld.so`."""
    pieces: dict[str, Piece] = {f"lib/{name}": HostFile(real) for name, real in closure.libraries.items()}
    for name, real in closure.loaders.items():
        pieces[f"lib/{name}"] = HostFile(real, is_executable=True)
    for real in list(closure.loaders.values())[:1]:
        pieces["lib/ld.so"] = HostFile(real, is_executable=True)
    return pieces


def _closure(
    executable: str, modules: Iterable[str], also: Collection[str]
) -> tuple[dict[str, Piece], tuple[str, ...]]:
    try:
        elf = read_elf(executable)
        if elf is None or elf.loader is None:
            raise fail(
                "no-such-interpreter",
                f"`{executable}` is no dynamically linked program",
                hint="name the interpreter itself, not a script that starts it",
            )
        folders = host_folders(elf.machine)
        closure = library_closure([executable, *modules], folders, (*ALWAYS, *also))
    except BadElf as error:
        raise fail("broken-library", str(error), exit_code=ExitCode.ENVIRONMENT) from None
    except OSError as error:
        raise unreadable(executable, error) from None
    # A module of the standard library that lacks a library cannot be imported on this host either.
    if lacking := [name for name, wanting in closure.missing if wanting == executable]:
        raise fail(
            "missing-library",
            f"`{executable}` needs {', '.join(f'`{name}`' for name in lacking)}, which this host lacks",
            exit_code=ExitCode.ENVIRONMENT,
        )
    absent = sorted(name for name in also if name not in closure.libraries)
    wanting = {name: os.path.basename(file) for name, file in closure.missing if file in closure.libraries.values()}
    if absent or (also and wanting):
        lacking = [f"`{name}`" for name in absent]
        lacking += [f"`{name}`, which `{file}` needs" for name, file in sorted(wanting.items())]
        raise fail(
            "missing-library",
            f"this host lacks {', '.join(lacking)}",
            hint="`libraries` of a `py_env` come from the machine that builds: install the system's package that has it, or leave it out",
            exit_code=ExitCode.ENVIRONMENT,
        )
    if not closure.loaders:
        raise fail("missing-library", f"`{elf.loader}`, the loader of `{executable}`, is not there")
    return library_pieces(closure), ("/etc/ld.so.conf", "/etc/ld.so.conf.d", *folders)


def _is_kept(path: str) -> bool:
    if path.startswith("config-") or path.endswith(_SKIPPED_SUFFIXES):
        return False
    return not path.removeprefix("lib-dynload/").startswith(_SKIPPED_MODULES)


def _without_prefix(path: str, prefix: str) -> bytes:
    """`sysconfig`'s build data, speaking of where the interpreter will be rather than of where it is installed here."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            content = file.read()
    except OSError as error:
        raise unreadable(path, error) from None
    if prefix in _SHARED:
        return content
    return re.sub(re.escape(os.fsencode(prefix)) + rb"(?![\w.-])", MOUNT.encode(), content)


def _uses_dist_packages(standard_library: str) -> bool:
    """Debian's `site` looks into `dist-packages` only."""
    try:
        with open(os.path.join(standard_library, "site.py"), "rb") as file:  # noqa: PTH123
            return b'"dist-packages"' in file.read()
    except OSError:
        return False


def _running() -> Interpreter:
    executable = getattr(sys, "_base_executable", None) or sys.executable
    return Interpreter(
        os.path.realpath(executable),
        sys.base_prefix,
        os.path.dirname(os.path.realpath(str(os.__file__))),
        sys.platlibdir,
        ".".join(str(part) for part in sys.version_info[:3]),
        sys.implementation.name,
    )


def _ask(executable: str, asked: str) -> Interpreter:
    import subprocess

    try:
        answer = subprocess.run(
            [executable, "-I", "-S", "-c", _QUESTION], capture_output=True, text=True, timeout=60, env={}, check=True
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise _no_interpreter(asked, getattr(error, "strerror", None) or "it does not run") from None
    if len(answer) != 6:
        raise _no_interpreter(asked, "it does not answer as a Python interpreter does")
    real, prefix, library, folder, version, implementation = answer
    return Interpreter(os.path.realpath(real), prefix, os.path.realpath(library), folder, version, implementation)


def _find_version(version: str, uv: str, environment: Mapping[str, str]) -> str:
    import subprocess

    command = [uv, "python", "find", "--system", "--no-project", "--no-python-downloads", "--no-config", version]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=60, env=dict(environment), cwd="/")
    except (OSError, subprocess.SubprocessError):
        raise _no_interpreter(version, "`uv python find` does not run") from None
    if found.returncode != 0 or not found.stdout.strip():
        raise _no_interpreter(version, "uv finds none")
    return found.stdout.strip()


def _no_interpreter(asked: str, reason: str) -> UserError:
    return fail(
        "no-such-interpreter",
        f"no Python interpreter `{asked}` on this machine: {reason}",
        hint="install it (`uv python install`, the system's packages, or pyenv), or change the attribute `python`",
        exit_code=ExitCode.ENVIRONMENT,
    )
