"""Which shared libraries a set of ELF files loads, found by reading and never by running them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from mlbuild.fetch.elf import BadElf, Elf, read_elf
from mlbuild.records import field, record

ALWAYS = (
    # The whole C library: what a wheel needs is known only when it is loaded, long after the closure was taken.
    "libBrokenLocale.so.1", "libanl.so.1", "libc.so.6", "libcrypt.so.1", "libdl.so.2", "libm.so.6", "libmvec.so.1",
    "libnsl.so.1", "libnss_compat.so.2", "libnss_dns.so.2", "libnss_files.so.2", "libpthread.so.0", "libresolv.so.2",
    "librt.so.1", "libthread_db.so.1", "libutil.so.1",
    # What manylinux wheels may expect of a host beside it, as far as programs without a screen go.
    "libatomic.so.1", "libexpat.so.1", "libgcc_s.so.1", "libgomp.so.1", "libstdc++.so.6", "libz.so.1",
)  # fmt: skip

_TRIPLETS = {(64, False, 62): "x86_64-linux-gnu", (64, False, 183): "aarch64-linux-gnu"}
_MAX_INCLUDES = 64


@record
class Closure:
    """`libraries` maps each name that something asks for to the real file; `loaders` likewise by base name.

    `missing` holds (library, the file that wants it). `read` holds all files that were looked into.
    """

    libraries: dict[str, str] = field(default_factory=dict)
    loaders: dict[str, str] = field(default_factory=dict)
    missing: tuple[tuple[str, str], ...] = ()


def library_closure(roots: Iterable[str], folders: Iterable[str], always: Iterable[str] = ALWAYS) -> Closure:
    """What `roots` load, all of the first root's machine, with those of `always` that this host has.

    A library is looked for where the file that needs it says, then in `folders`. Where two files would load
    different libraries of one name, the first found stands for both: a process has one of a name, too.

    Raises:
        BadElf: if a file that would be loaded is broken; the message names it.
    """
    folders = tuple(folders)
    closure = Closure()
    waiting: list[tuple[str, str, Elf]] = []
    machine: tuple[int, bool, int] | None = None
    for root in roots:
        if (elf := _read(root)) is not None:
            machine = machine or elf.machine
            waiting.append((root, os.path.realpath(root), elf))
    missing: set[tuple[str, str]] = set()
    if machine is None:
        return closure
    for name in always:
        if (found := _find(name, folders, machine)) is not None:
            closure.libraries[name] = found[0]
            waiting.append((found[0], found[0], found[1]))
    seen: set[str] = set()
    at = 0
    while at < len(waiting):
        path, real, elf = waiting[at]
        at += 1
        if real in seen:
            continue
        seen.add(real)
        if elf.loader and os.path.exists(elf.loader):
            closure.loaders.setdefault(os.path.basename(elf.loader), os.path.realpath(elf.loader))
        for name in elf.needed:
            base = os.path.basename(name)
            if base in closure.libraries or base in closure.loaders:
                continue
            own = _own_folders(path, real, elf)
            found = _find(name, (*own, *folders), machine)
            if found is None:
                missing.add((base, path))
                continue
            closure.libraries[base] = os.path.realpath(found[0])
            waiting.append((found[0], os.path.realpath(found[0]), found[1]))
    libraries = {name: real for name, real in sorted(closure.libraries.items()) if name not in closure.loaders}
    return Closure(libraries, dict(sorted(closure.loaders.items())), tuple(sorted(missing)))


def host_folders(machine: tuple[int, bool, int], configuration: str = "/etc/ld.so.conf") -> tuple[str, ...]:
    """Where this host's loader looks for libraries, in its order.

    The folders of libraries for particular processors (`glibc-hwcaps`) are left out on purpose: what is collected
    must not depend on the machine's processor.
    """
    listed = [*_configured(configuration, _MAX_INCLUDES)]
    if triplet := _TRIPLETS.get(machine):
        listed += [f"/lib/{triplet}", f"/usr/lib/{triplet}"]
    listed += ["/lib64", "/usr/lib64"] if machine[0] == 64 else []
    listed += ["/lib", "/usr/lib", "/usr/local/lib"]
    return tuple(dict.fromkeys(folder for folder in listed if os.path.isdir(folder)))


def _configured(path: str, budget: int) -> Iterable[str]:
    import glob

    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            lines = file.read(1 << 20).splitlines()
    except OSError:
        return
    for line in lines:
        words = line.partition("#")[0].split()
        if words[:1] == ["include"] and budget > 0:
            for pattern in words[1:]:
                for included in sorted(glob.glob(os.path.join(os.path.dirname(path), pattern))):
                    yield from _configured(included, budget // 2)
        elif words and words[0] != "hwcap":
            yield words[0].partition("=")[0]


def _own_folders(path: str, real: str, elf: Elf) -> Iterable[str]:
    """A file's own search path; where it has `DT_RUNPATH`, the loader ignores its `DT_RPATH`."""
    for folder in elf.runpath or elf.rpath:
        for origin in dict.fromkeys((os.path.dirname(path), os.path.dirname(real))):
            placed = folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
            if "$" not in placed and placed.startswith("/"):
                yield os.path.normpath(placed)


def _find(name: str, folders: Iterable[str], machine: tuple[int, bool, int]) -> tuple[str, Elf] | None:
    candidates = [name] if name.startswith("/") else [os.path.join(folder, name) for folder in folders]
    for candidate in candidates:
        if os.path.isfile(candidate) and (elf := _read(candidate)) is not None and elf.machine == machine:
            return candidate, elf
    return None


def _read(path: str) -> Elf | None:
    try:
        return read_elf(path)
    except BadElf as error:
        raise BadElf(f"`{path}` is a broken ELF file: {error}") from None
    except (OSError, ValueError):
        return None
