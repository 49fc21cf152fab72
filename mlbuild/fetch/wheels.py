"""The wheels of a lock, installed side by side in one folder: an environment's packages, the same on every machine of a kind."""

from __future__ import annotations

import os
import re

from mlbuild.diagnostics import UserError, fail
from mlbuild.fetch.installed import OddInstallation, installed_pieces
from mlbuild.fetch.interpreter import Interpreter
from mlbuild.fetch.lock import check_lock, unlocked
from mlbuild.fetch.tree import keep_tree, unreadable
from mlbuild.fetch.uv import Uv, complaint
from mlbuild.seams import ContentStore
from mlbuild.terms import Digest, TreeValue

FORMAT = 1
"""Counts how the installed files are normalised: part of the key."""


def wheels_key(lock: Digest, interpreter: Interpreter, uv_version: str) -> Digest:
    """What decides the installed files: the lock, what wheels this interpreter and platform accept, and who installs them."""
    parts = (
        "mlbuild wheels",
        str(FORMAT),
        str(lock),
        interpreter.implementation,
        interpreter.version,
        *platform_tags(),
        f"uv {uv_version}",
    )
    return Digest.of("\n".join(parts).encode())


def platform_tags() -> tuple[str, ...]:
    """The kernel's and the C library's part in which wheels fit."""
    try:
        library = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError, AttributeError):
        library = ""
    system = os.uname()
    return (system.sysname.lower(), system.machine, library)


def install_wheels(
    lock: bytes, lock_path: str, interpreter: Interpreter, uv: Uv, store: ContentStore, folder: str
) -> TreeValue:
    """The packages of the lock as a tree in the store, without bytecode. `folder` is empty and for this alone.

    Raises:
        UserError: if the lock is none, a file is not what it pins, or the index cannot be asked.
    """
    try:
        text = lock.decode()
    except UnicodeDecodeError:
        raise unlocked(lock_path) from None
    requirements = check_lock(text, lock_path)
    target = os.path.join(folder, "packages")
    try:
        os.mkdir(target)
        if requirements:
            _install(text, lock_path, target, folder, interpreter, uv)
        return keep_tree(installed_pieces(target), store).tree
    except OddInstallation as error:
        raise fail("odd-wheel", f"an installed wheel cannot be kept: {error}") from None
    except OSError as error:
        raise unreadable(error.filename or target, error) from None


def _install(text: str, lock_path: str, target: str, folder: str, interpreter: Interpreter, uv: Uv) -> None:
    copy = os.path.join(folder, "lock.txt")
    with open(copy, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
    arguments = [
        "pip", "install", "--quiet", "--python", interpreter.executable, "--target", target, "--require-hashes",
        "--no-deps", "--only-binary", ":all:", "--link-mode", "copy", "--no-compile-bytecode",
        *uv.index_options, "--requirement", copy,
    ]  # fmt: skip
    code, _, stderr = uv.run(arguments, folder)
    if code != 0:
        raise _failure(stderr.replace(copy, lock_path), lock_path)


def _failure(stderr: str, lock_path: str) -> UserError:
    mismatch = re.search(
        r"Hash mismatch for `?([^`\n]+?)`?\s*\n\s*Expected:\s*\n(.*?)\n\s*Computed:\s*\n\s*(\S.*?)(?:\n\s*\n|\s*\Z)",
        stderr,
        re.DOTALL,
    )
    if mismatch:
        expected = " or ".join(f"`{each.strip()}`" for each in mismatch[2].splitlines() if each.strip())
        return fail(
            "wheel-hash-mismatch",
            f"`{mismatch[1]}` is not what `{lock_path}` pins: expected {expected}, got `{mismatch[3].strip()}`",
            hint="the index gave other bytes than when the lock was made: if that is wanted, run `mlbuild lock` again",
        )
    return complaint("wheels-not-installed", f"the wheels of `{lock_path}` cannot be installed", stderr)
