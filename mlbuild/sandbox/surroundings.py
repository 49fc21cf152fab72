"""The few files of `/etc` that programs expect everywhere, and the telling ones of `/proc`, with the same bytes on every machine."""

from __future__ import annotations

import os
import platform
import struct
from pathlib import Path

from mlbuild.sandbox import clock
from mlbuild.terms import ORDINARY, Surroundings

_FIXED_TIME = 315_532_800 * 10**9

# A time zone file of version 2 with one type: UTC.
_ZONE = b"TZif2" + b"\0" * 15 + struct.pack(">6I", 0, 0, 0, 0, 1, 4) + struct.pack(">iBB", 0, 0, 0) + b"UTC\0"


def etc(around: Surroundings) -> dict[str, bytes]:
    """The files of `/etc`, by name."""
    user, number, group, host = around.user, around.user_number, around.group_number, around.host
    return {
        "group": f"{user}:x:{group}:\nnogroup:x:65534:\n".encode(),
        "hosts": f"127.0.0.1 localhost {host}\n::1 localhost {host}\n".encode(),
        "localtime": _ZONE + _ZONE + b"\nUTC0\n",
        "nsswitch.conf": b"passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
        "passwd": f"{user}:x:{number}:{group}::/tmp:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n".encode(),
    }


PROC = {
    "sys/kernel/random/boot_id": b"00000000-0000-0000-0000-000000000000\n",
    "uptime": b"0.00 0.00\n",
    "loadavg": b"0.00 0.00 0.00 1/1 1\n",
    "cmdline": b"\n",
    "kallsyms": b"",
    "keys": b"",
    "key-users": b"",
    "locks": b"",
}
"""Files of `/proc` that would tell one machine, or one day, from another, and what every sandbox shows for them."""


def write_proc(folder: Path) -> tuple[tuple[str, str], ...]:
    """Fills `folder`; returns (name in it, path in a sandbox) of the files that this machine has."""
    folder.mkdir()
    masks = []
    for name, content in PROC.items():
        if os.path.exists(f"/proc/{name}"):
            path = folder / name.replace("/", ".")
            path.write_bytes(content)
            path.chmod(0o444)
            masks.append((path.name, f"/proc/{name}"))
    return tuple(masks)


def write_etc(folder: Path, around: Surroundings = ORDINARY) -> None:
    """Makes `folder` the sandbox's `/etc`."""
    folder.mkdir()
    files = etc(around)
    if clock.needs_library(around) and platform.machine() == clock.MACHINE:
        files |= {clock.NAME: clock.library(around), "ld.so.preload": f"/etc/{clock.NAME}\n".encode()}
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content)
        path.chmod(0o444)
        os.utime(path, ns=(_FIXED_TIME, _FIXED_TIME))
    folder.chmod(0o555)
    os.utime(folder, ns=(_FIXED_TIME, _FIXED_TIME))


PROCESSORS = "/sys/devices/system/cpu/online"
"""The file that says how many processors there are to use."""


def write_processors(file: Path, count: int) -> None:
    """Makes `file` say that there are so many processors."""
    file.write_text(f"0-{count - 1}\n" if count > 1 else "0\n", encoding="ascii")
    file.chmod(0o444)
