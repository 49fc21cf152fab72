"""Builds a wheel from source by the project's own backend (PEP 517), with what is in the environment and nothing else.

build_wheel.py WHEEL ARCHIVE              an sdist: .tar.gz or .zip
build_wheel.py WHEEL PYPROJECT FILE...    a project that lies about: its pyproject.toml, and its files

The result is packed anew, with its members sorted and of one time: what it holds decides its bytes.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import shutil
import sys
import tarfile
import tomllib
import traceback
import zipfile

PLACE = "/tmp/source"
TIME = (1980, 1, 2, 0, 0, 0)
PROJECT = "pyproject.toml"


class Unusable(Exception):
    """Said to the person who wrote the target."""


def main(wheel: str, source: str, files: list[str]) -> int:
    out = os.path.abspath(wheel)
    try:
        root = copied(source, files) if os.path.basename(source) == PROJECT else unpacked(source)
        build = build_system(root)
        check(build["requires"])
        try:
            made = built(root, build)
        except Unusable:
            raise
        except Exception as error:
            # Whatever it is, it is the project's: its own words first, then what they mean here.
            theirs = error.__traceback__
            while theirs is not None and theirs.tb_frame.f_code.co_filename == __file__:
                theirs = theirs.tb_next
            traceback.print_exception(type(error), error, theirs)
            raise Unusable(
                f"its build failed ({type(error).__name__}: {error}); it has no network and no other packages than `build_env`"
            ) from None
        pack_again(made, out)
    except (Unusable, tarfile.TarError, zipfile.BadZipFile, EOFError, tomllib.TOMLDecodeError) as error:
        print(f"error: `{os.path.basename(source)}` cannot be built: {error}", file=sys.stderr)
        return 1
    return 0


def copied(project: str, files: list[str]) -> str:
    """The project's files in a folder where a backend may write."""
    top = os.path.dirname(project)
    for path in [project, *files]:
        inside = os.path.relpath(path, top or ".")
        if inside.startswith("../"):
            raise Unusable(f"`{path}` does not lie beside `{project}` or below")
        target = os.path.join(PLACE, inside)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(path, target)
    return PLACE


def unpacked(archive: str) -> str:
    """The one folder that an sdist has."""
    os.makedirs(PLACE)
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(PLACE)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as opened:
            opened.extractall(PLACE, filter="data")
    else:
        raise Unusable("it is neither a tar nor a zip file")
    folders = os.listdir(PLACE)
    if len(folders) != 1 or not os.path.isdir(os.path.join(PLACE, folders[0])):
        raise Unusable(f"an sdist has one folder at its top, and this has {len(folders)} entries")
    return os.path.join(PLACE, folders[0])


def build_system(root: str) -> dict[str, list[str] | str]:
    """The table of pyproject.toml, with what PEP 517 says where it is not there."""
    try:
        with open(os.path.join(root, PROJECT), "rb") as file:  # noqa: PTH123
            table = tomllib.load(file).get("build-system", {})
    except FileNotFoundError:
        table = {}
    return {
        "requires": table.get("requires", ["setuptools"]),
        "build-backend": table.get("build-backend", "setuptools.build_meta:__legacy__"),
        "backend-path": table.get("backend-path", []),
    }


def check(requires: list[str] | str) -> None:
    """Every package that the build wants is in the environment."""
    for each in requires:
        text, _, marker = each.partition(";")
        name = re.match(r"[A-Za-z0-9][\w.-]*", text.strip())
        if name is None or marker.strip():
            continue  # whether a marker holds is for the backend to find out
        try:
            importlib.metadata.version(name[0])
        except importlib.metadata.PackageNotFoundError:
            raise Unusable(
                f"its build wants `{text.strip()}`, which the environment lacks; nothing is fetched during a build: "
                "add it to the requirements of `build_env`"
            ) from None


def built(root: str, build: dict[str, list[str] | str]) -> str:
    """Runs the backend; gives the wheel's path."""
    os.chdir(root)
    sys.path[:0] = [os.path.abspath(each) for each in build["backend-path"]]
    module, _, attribute = str(build["build-backend"]).partition(":")
    backend = importlib.import_module(module)
    for part in filter(None, attribute.split(".")):
        backend = getattr(backend, part)
    if hasattr(backend, "get_requires_for_build_wheel"):
        check(backend.get_requires_for_build_wheel())
    folder = f"{PLACE}-wheel"
    os.makedirs(folder)
    # Backends that are scripts at heart read it.
    sys.argv[1:] = []
    return os.path.join(folder, backend.build_wheel(folder))


def pack_again(wheel: str, out: str) -> None:
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        for member in sorted(source.infolist(), key=lambda each: each.filename):
            if member.is_dir():
                continue
            info = zipfile.ZipInfo(member.filename, TIME)
            is_program = bool(member.external_attr >> 16 & 0o100)
            info.external_attr = (0o100755 if is_program else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(member))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
