"""Arguments of `ctx.actions` from Starlark to terms: checked, with the error at the call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from mlbuild.diagnostics import UserError
from mlbuild.lang import type_name
from mlbuild.terms import WORKING_DIRECTORY, Artifact, Depset, Mount

RESERVED_MOUNTS = frozenset({WORKING_DIRECTORY, "proc", "dev", "tmp", "inputs", "etc", ""})


class Thread(Protocol):
    """What a check needs of the Starlark thread: errors at the call that runs now."""

    def error(self, code: str, message: str, hint: str | None = None) -> UserError: ...


def files(thread: Thread, name: str, value: object) -> tuple[Artifact, ...]:
    """A list or depset of files."""
    items: Iterable[object]
    if isinstance(value, Depset):
        items = value.to_tuple()
    elif isinstance(value, (list, tuple)):
        items = value
    else:
        hint = f"write `[{'...'}]`" if isinstance(value, Artifact) else None
        raise thread.error("not-a-file", f"`{name}`: expected list or depset of files, got {type_name(value)}", hint)
    found: list[Artifact] = []
    for item in items:
        if isinstance(item, Artifact):
            found.append(item)
        elif isinstance(item, Depset):
            raise thread.error(
                "not-a-file",
                f"`{name}`: expected File, got depset",
                "write `depset(files, transitive = [...])`, or `.to_list()`",
            )
        else:
            hint = (
                "its files are `target.files`, `ctx.file.NAME` or `ctx.files.NAME`"
                if type_name(item) == "Target"
                else None
            )
            raise thread.error("not-a-file", f"`{name}`: expected File, got {type_name(item)}", hint)
    return tuple(found)


def file(thread: Thread, name: str, value: object) -> Artifact:
    if isinstance(value, Artifact):
        return value
    raise thread.error("not-a-file", f"`{name}`: expected File, got {type_name(value)}")


def text(thread: Thread, name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise thread.error("bad-argument", f"`{name}`: expected string, got {type_name(value)}")


def strings(thread: Thread, name: str, value: object) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, (list, tuple)):
        raise thread.error("bad-argument", f"`{name}`: expected list, got {type_name(value)}")
    return tuple(text(thread, name, each) for each in value)


def number(thread: Thread, name: str, value: object, least: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    got = repr(value) if isinstance(value, int) else type_name(value)
    raise thread.error("bad-argument", f"`{name}`: expected int of at least {least}, got {got}")


def pairs(thread: Thread, name: str, value: object) -> tuple[tuple[str, str], ...]:
    """A dict of string to string, sorted by key."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise thread.error("bad-argument", f"`{name}`: expected dict, got {type_name(value)}")
    found: list[tuple[str, str]] = []
    for key, each in value.items():
        if not isinstance(key, str) or not isinstance(each, str):
            wrong = key if not isinstance(key, str) else each
            where = "a key" if wrong is key else f"key `{key}`"
            raise thread.error("bad-argument", f"`{name}`: expected string for {where}, got {type_name(wrong)}")
        found.append((key, each))
    return tuple(sorted(found))


def mounts(thread: Thread, value: object) -> tuple[Mount, ...]:
    """A dict of path in the input root -> directory artifact, or target of a symlink."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise thread.error("bad-argument", f"`mounts`: expected dict, got {type_name(value)}")
    found: list[Mount] = []
    for path, content in value.items():
        if not isinstance(path, str):
            raise thread.error("bad-argument", f"`mounts`: a key is a path, got {type_name(path)}")
        parts = path.split("/")
        if any(part in ("", ".", "..") for part in parts) or parts[0] in RESERVED_MOUNTS:
            raise thread.error(
                "bad-mount",
                f"nothing can be mounted at `{path}`",
                "a mount is a relative path beside the exec root, such as `python`",
            )
        if isinstance(content, Artifact):
            if not content.is_directory:
                raise thread.error("bad-mount", f"`mounts`: `{content.path}` at `{path}` is no directory")
            found.append(Mount(path, content))
        elif isinstance(content, str):
            found.append(Mount(path, content))
        else:
            raise thread.error(
                "bad-mount", f"`mounts`: expected File or the target of a symlink at `{path}`, got {type_name(content)}"
            )
    return tuple(found)


def artifacts_within(value: object) -> tuple[Artifact, ...]:
    """All files in a value made of lists, dicts, depsets, structs and providers, each once, in order."""
    found: dict[Artifact, None] = {}
    seen: set[int] = set()
    stack: list[object] = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, Artifact):
            found[each] = None
            continue
        if each is None or isinstance(each, (str, int, float, bytes)) or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, (list, tuple)):
            stack.extend(reversed(each))
        elif isinstance(each, Mapping):
            stack.extend(reversed(list(each.values())))
        elif isinstance(each, Depset):
            stack.extend(reversed(each.to_tuple()))
        else:
            fields = getattr(each, "fields", None)
            if isinstance(fields, Mapping):
                stack.extend(reversed(list(fields.values())))
    return tuple(found)
