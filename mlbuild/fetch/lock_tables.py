"""Locks of other tools as pinned requirements: `uv.lock`, and `pylock.toml` of PEP 751."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping

from mlbuild.diagnostics import Location, UserError, fail
from mlbuild.fetch.lock import Requirement, normal_name
from mlbuild.fetch.markers import Holds

Table = Mapping[str, object]

_LOCAL = ("virtual", "editable", "directory")
_PYLOCK = re.compile(r"pylock(\.[^./]+)?\.toml\Z")


def is_uv_lock(path: str) -> bool:
    return path.rpartition("/")[2] == "uv.lock"


def is_pylock(path: str) -> bool:
    return _PYLOCK.match(path.rpartition("/")[2]) is not None


def read_pylock(content: bytes, path: str, holds: Holds) -> tuple[Requirement, ...]:
    """The packages whose markers hold. Raises UserError."""
    document = _parsed(content, path)
    try:
        return tuple(_pylock_requirements(document, path, holds))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(path, error) from None


def read_uv_lock(
    content: bytes, path: str, holds: Holds, extras: Iterable[str] = (), groups: Iterable[str] = ()
) -> tuple[Requirement, ...]:
    """What the workspace's own packages need, with some of their extras and dependency groups.

    The own packages themselves are no wheels: their code is the workspace's. Raises UserError.
    """
    document = _parsed(content, path)
    try:
        return tuple(_uv_requirements(document, path, holds, tuple(extras), tuple(groups)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(path, error) from None


def _pylock_requirements(document: Table, path: str, holds: Holds) -> Iterator[Requirement]:
    for package in _tables(document, "packages"):
        if not holds(_text(package, "marker")):
            continue
        name = _text(package, "name")
        hashes = [_entry(each, "hashes").get("sha256") for each in _tables(package, "wheels")]
        yield _pinned(name, _text(package, "version"), [f"sha256:{each}" for each in hashes if each], path)


def _uv_requirements(
    document: Table, path: str, holds: Holds, extras: tuple[str, ...], groups: tuple[str, ...]
) -> Iterator[Requirement]:
    packages = _tables(document, "package")
    by_name: dict[str, list[Table]] = {}
    for each in packages:
        by_name.setdefault(_text(each, "name"), []).append(each)
    own = [each for each in packages if any(kind in _entry(each, "source") for kind in _LOCAL)]
    _check_asked(own, "optional-dependencies", extras, "extra", path)
    _check_asked(own, "dev-dependencies", groups, "dependency group", path)
    needed: dict[tuple[str, str], Table] = {}
    waiting: list[Table] = []
    for each in own:
        waiting += _tables(each, "dependencies")
        for kind, wanted in (("optional-dependencies", extras), ("dev-dependencies", groups)):
            waiting += [edge for name in wanted for edge in _tables(_entry(each, kind), name)]
    seen: set[str] = set()
    while waiting:
        edge = waiting.pop()
        if (words := repr(edge)) in seen or not holds(_text(edge, "marker")):
            continue
        seen.add(words)
        for package in by_name[_text(edge, "name")]:
            version = _text(package, "version")
            if _text(edge, "version") not in ("", version):
                continue
            needed[_text(edge, "name"), version] = package
            waiting += _tables(package, "dependencies")
            for extra in _strings(edge, "extra"):
                waiting += _tables(_entry(package, "optional-dependencies"), extra)
    for (name, version), package in sorted(needed.items()):
        if package in own:
            continue
        yield _pinned(name, version, [_text(each, "hash") for each in _tables(package, "wheels")], path)


def _check_asked(own: Iterable[Table], kind: str, asked: Iterable[str], what: str, path: str) -> None:
    there = sorted({name for each in own for name in _entry(each, kind)})
    for name in asked:
        if name not in there:
            raise fail(
                "no-such-extra",
                f"`{path}` has no {what} `{name}`",
                hint=f"it has {', '.join(f'`{each}`' for each in there)}" if there else None,
            )


def _pinned(name: str, version: str, hashes: list[str], path: str) -> Requirement:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) or not re.fullmatch(r"[\w.+!-]+", version):
        raise ValueError(f"`{name}` {version} is no name with a version")
    hashes = [each for each in hashes if re.fullmatch(r"sha256:[0-9a-f]{64}", each)]
    if not hashes:
        raise fail(
            "no-wheel-in-lock",
            f"`{name}` {version} has no wheel with a hash in `{path}`",
            location=Location(path),
            hint="an environment is made of wheels: build one, put it where your index settings find it, and lock again",
        )
    return Requirement(f"{normal_name(name)}=={version}", tuple(sorted(hashes)), 0)


def _parsed(content: bytes, path: str) -> Table:
    try:
        return tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise _odd(path, error) from None


def _odd(path: str, error: Exception) -> UserError:
    return fail(
        "bad-lock", f"`{path}` is no lock that can be read: {error}", hint="lock again with the tool that made it"
    )


def _tables(table: Table, name: str) -> list[Table]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError(f"`{name}` is no list of tables")
    return found


def _entry(table: Table, name: str) -> Table:
    found = table.get(name, {})
    if not isinstance(found, dict):
        raise ValueError(f"`{name}` is no table")
    return found


def _strings(table: Table, name: str) -> list[str]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"`{name}` is no list of strings")
    return found


def _text(table: Table, name: str) -> str:
    found = table.get(name, "")
    if not isinstance(found, str):
        raise ValueError(f"`{name}` is no string")
    return found
