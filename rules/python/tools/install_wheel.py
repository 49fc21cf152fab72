"""Installs one wheel into an empty folder, as it would lie on any machine. Source: the binary distribution format (PEP 427).

install_wheel.py WHEEL FOLDER
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import os
import re
import sys
import zipfile

SHEBANG = b"#!/python/bin/python3\n"
SCRIPT = """\
import sys
from {module} import {first}
if __name__ == "__main__":
    sys.exit({call}())
"""
ENTRY = re.compile(r"([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\])?\Z")
DROPPED = ("RECORD", "RECORD.jws", "RECORD.p7s")


class Unusable(Exception):
    """Said to the person who wrote the target."""


def main(wheel: str, folder: str) -> int:
    try:
        with zipfile.ZipFile(wheel) as opened:
            files = contents(opened)
    except (Unusable, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        print(f"error: `{os.path.basename(wheel)}` cannot be installed: {error}", file=sys.stderr)
        return 1
    for path, (content, is_program) in sorted(files.items()):
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:  # noqa: PTH123
            file.write(content)
        os.chmod(target, 0o755 if is_program else 0o644)
    return 0


def contents(wheel: zipfile.ZipFile) -> dict[str, tuple[bytes, bool]]:
    """(bytes, whether it is a program) by path, with scripts made, and a record of what is there."""
    names = [each.filename for each in wheel.infolist() if not each.is_dir()]
    infos = {name.partition("/")[0] for name in names if name.partition("/")[0].endswith(".dist-info")}
    if len(infos) != 1:
        raise Unusable(f"a wheel has one folder `NAME-VERSION.dist-info`, and this has {len(infos)}")
    (info,) = infos
    if f"{info}/WHEEL" not in names:
        raise Unusable(f"it has no `{info}/WHEEL`")
    check_tags(wheel.read(f"{info}/WHEEL").decode("utf-8", "replace"))
    files: dict[str, tuple[bytes, bool]] = {}
    for member in wheel.infolist():
        if member.is_dir() or member.filename in [f"{info}/{name}" for name in DROPPED]:
            continue
        place = placed(member.filename, f"{info.removesuffix('.dist-info')}.data")
        if place is None:
            continue
        if place in files:
            raise Unusable(f"two of its files would lie at `{place}`")
        files[place] = script(wheel.read(member)) if place.startswith("bin/") else (wheel.read(member), False)
    for name, content in entry_points(files.get(f"{info}/entry_points.txt", (b"", False))[0]).items():
        files[f"bin/{name}"] = (content, True)
    files[f"{info}/RECORD"] = (record(files, f"{info}/RECORD"), False)
    return files


def placed(name: str, data: str) -> str | None:
    """Where a member goes, or nothing for what an environment has no place for (headers)."""
    if name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")) or "\\" in name or "\0" in name:
        raise Unusable(f"its member `{name}` would lie elsewhere")
    if not name.startswith(f"{data}/"):
        return name
    scheme, _, inside = name.removeprefix(f"{data}/").partition("/")
    match scheme:
        case "purelib" | "platlib" | "data":
            return inside
        case "scripts":
            return f"bin/{inside}"
        case "headers":
            return None
    raise Unusable(f"its member `{name}` is of a kind that nobody knows")


def check_tags(about: str) -> None:
    """One of the wheel's tags fits this interpreter. Which C library it wants is not looked at: the environment brings one."""
    tags = re.findall(r"^Tag: *(\S+)-(\S+)-(\S+) *$", about, re.MULTILINE)
    version = f"{sys.version_info[0]}{sys.version_info[1]}"
    pythons = {"py3", f"py{version}", f"cp{version}"}
    for python, abi, platform in tags:
        older = re.fullmatch(r"cp3(\d+)", python)
        is_stable = abi == "abi3" and older is not None and int(older[1]) <= sys.version_info[1]
        if platform != "any" and not (
            platform.startswith(("linux", "manylinux")) and platform.endswith(os.uname().machine)
        ):
            continue
        if is_stable or (python in pythons and abi in ("none", "abi3", f"cp{version}")):
            return
    said = ", ".join("-".join(tag) for tag in tags) or "nothing"
    raise Unusable(
        f"it is for {said}, not for Python {sys.version_info[0]}.{sys.version_info[1]} on {os.uname().machine}"
    )


def script(content: bytes) -> tuple[bytes, bool]:
    first, _, rest = content.partition(b"\n")
    return (SHEBANG + rest if first.startswith(b"#!") and b"python" in first else content, True)


def entry_points(text: bytes) -> dict[str, bytes]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(text.decode("utf-8", "replace"))
    except configparser.Error as error:
        raise Unusable(f"its `entry_points.txt` cannot be read: {str(error).splitlines()[0]}") from None
    found: dict[str, bytes] = {}
    for section in ("console_scripts", "gui_scripts"):
        for name, value in parser.items(section) if parser.has_section(section) else ():
            entry = ENTRY.match(value.strip())
            if entry is None or "/" in name or name in ("", ".", ".."):
                raise Unusable(f"its entry point `{name} = {value}` is none")
            module, call = entry[1], entry[2]
            made = SCRIPT.format(module=module, first=call.partition(".")[0], call=call)
            found[name] = SHEBANG + made.encode()
    return found


def record(files: dict[str, tuple[bytes, bool]], path: str) -> bytes:
    rows = [(path, "", "")]
    for name, (content, _) in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append((name, f"sha256={digest}", str(len(content))))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return text.getvalue().encode()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
