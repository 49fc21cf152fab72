"""The errors of labels that name nothing, with the nearest thing that is there."""

from __future__ import annotations

from mlbuild.diagnostics import UserError, did_you_mean, fail
from mlbuild.loading.folders import Folders
from mlbuild.loading.ignored import IGNORE_FILE
from mlbuild.loading.package import BUILD_FILE, Package, folder_of, package_text
from mlbuild.terms import Label


def no_such_package(folders: Folders, repository: str, package: str) -> UserError:
    """Also says why a folder that is there is no package."""
    folder = folder_of(repository, package)
    if repository and folders.kind(folder_of(repository, "")) is None:
        return fail("no-such-repository", f"there is no repository `@{repository}`", hint="there is `@mlbuild`")
    hint: str | None = None
    if folders.is_ignored(folder):
        message = f"no package `{package_text(repository, package)}`: the folder is ignored"
        hint = f"remove it from `{IGNORE_FILE}`, if it is there"
    elif folders.kind(folder) == "directory" and folder:
        message = f"no package `{package_text(repository, package)}`: the folder has no {BUILD_FILE}"
        hint = f"add `{folder}/{BUILD_FILE}`"
    elif not folder:
        message = f"no package `//`: the workspace's root has no {BUILD_FILE}"
        hint = f"add `{BUILD_FILE}` there, or name a package: `//package:target`"
    else:
        message = f"no package `{package_text(repository, package)}`: there is no such folder"
        near = _near_package(folders, folder)
        if near is not None:
            root = folder_of(repository, "")
            inner = near[len(root) :].lstrip("/") if root else near
            hint = f"did you mean `{package_text(repository, inner)}`?"
    return fail("no-such-package", message, hint=hint)


def no_such_target(folders: Folders, package: Package, label: Label) -> UserError:
    """A name that is neither a target nor a file of its package."""
    folder = folder_of(package.repository, package.name)
    last_folder, _, _ = label.name.rpartition("/")
    files = [
        f"{last_folder}/{name}" if last_folder else name
        for name, kind in folders.own_listing(folder, last_folder)
        if kind == "file" and name != BUILD_FILE
    ]
    near = did_you_mean(label.name, [*package.targets, *package.outputs, *files])
    looks_like_file = "." in label.name.rpartition("/")[2] or "/" in label.name
    if near is not None:
        hint = f"did you mean `{label.sibling(near).short}`?"
    elif looks_like_file:
        hint = f"create `{label.path}`, or correct the name"
    elif package.targets:
        names = sorted(package.targets)
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        hint = "it has " + ", ".join(f"`{name}`" for name in names[:8]) + more
    else:
        hint = f"`{folder + '/' if folder else ''}{BUILD_FILE}` makes no targets"
    if looks_like_file:
        return fail("no-such-file", f"package `{package}` has no file or target `{label.name}`", hint=hint)
    return fail("no-such-target", f"package `{package}` has no target `{label.name}`", hint=hint)


def nothing_below(folders: Folders, repository: str, package: str) -> UserError:
    """For a pattern `//a/...` that finds no package."""
    text = package_text(repository, package)
    error = no_such_package(folders, repository, package)
    return fail(
        "no-such-package",
        f"`{text if text.endswith('//') else text + '/'}...` finds no package",
        hint=error.diagnostics[0].hint,
    )


def is_a_package(package: Package, label: Label) -> UserError:
    """A folder that is a package is no file of the package around it."""
    inner = Label(label.repository, f"{label.package}/{label.name}" if label.package else label.name, "all")
    text = package_text(inner.repository, inner.package)
    return fail(
        "no-such-target",
        f"package `{package}` has no target `{label.name}`: the folder is the package `{text}`",
        hint=f"name one of its targets: `{text}:name`",
    )


def crosses_boundary(label: Label, inner: str) -> UserError:
    """A file that belongs to a package further in. `inner` is that package's path below the label's package."""
    package = f"{label.package}/{inner}" if label.package else inner
    right = Label(label.repository, package, label.name[len(inner) + 1 :])
    return fail(
        "crosses-package",
        f"`{label}` reaches into the package `{package_text(label.repository, package)}`",
        hint=f"write `{right.short}`",
    )


def no_such_module(folders: Folders, path: str, module: str) -> UserError:
    folder, _, name = path.rpartition("/")
    near = did_you_mean(name, [each for each, kind in folders.listing(folder) if kind == "file"])
    if near is not None:
        hint = f"did you mean `{folder + '/' if folder else ''}{near}`?"
    elif not name.endswith(".bzl"):
        hint = "modules are files whose names end in `.bzl`"
    else:
        hint = None
    return fail("no-such-module", f"cannot load `{module}`: there is no file `{path}`", hint=hint)


def _near_package(folders: Folders, folder: str) -> str | None:
    """The package with a similar path: the first part that does not exist is replaced by the nearest that does."""
    parts = folder.split("/")
    here = ""
    for index, part in enumerate(parts):
        names = [name for name, kind in folders.listing(here) if kind == "directory"]
        if part not in names:
            near = did_you_mean(part, names)
            if near is None:
                return None
            parts[index] = part = near
        here = f"{here}/{part}" if here else part
    return here if folders.is_package(here) else None
