"""What an ELF file says of itself: its loader, the libraries it needs and where it looks for them.

Only reads bytes, and trusts none: every offset and length is checked against the file, so that hostile bytes give
`BadElf` and never more work than the file is long. Source: the ELF gABI, chapters 4 and 5.
"""

from __future__ import annotations

import mmap
import struct

from mlbuild.records import record

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 10, 14, 15, 29
_NAMES = (_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH)
_MAX_HEADERS = 4096
_MAX_ENTRIES = 65_536
_MAX_NAME = 65_536


class BadElf(ValueError):
    """The bytes begin as an ELF file does, but are none that a loader would take."""


@record
class Elf:
    """`machine` is (class in bits, big-endian or not, `e_machine`): files that differ in it cannot be loaded together."""

    machine: tuple[int, bool, int]
    loader: str | None = None
    needed: tuple[str, ...] = ()
    soname: str | None = None
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()


def read_elf(path: str) -> Elf | None:
    """What the file says, or nothing when it is no ELF file.

    Raises:
        BadElf: if it claims to be one and is broken.
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:  # noqa: PTH123
        if file.read(4) != b"\x7fELF":
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return parse_elf(data)


def parse_elf(data: bytes | mmap.mmap) -> Elf:
    """What the bytes of an ELF file say. Raises BadElf."""
    if len(data) < 20 or data[:4] != b"\x7fELF":
        raise BadElf("no ELF header")
    is_wide, is_big = data[4] == 2, data[5] == 2
    if data[4] not in (1, 2) or data[5] not in (1, 2):
        raise BadElf("neither 32 nor 64 bits, or no known byte order")
    order = ">" if is_big else "<"
    (kind,) = _unpack(order + "H", data, 18)
    machine = (64 if is_wide else 32, is_big, kind)
    if is_wide:
        (table,), (entry_size, count) = _unpack(order + "Q", data, 32), _unpack(order + "HH", data, 54)
    else:
        (table,), (entry_size, count) = _unpack(order + "I", data, 28), _unpack(order + "HH", data, 42)
    headers = _program_headers(data, order, is_wide, table, entry_size, count)
    loader = next(
        (_text(data[offset : offset + size]) for kind, offset, _, size in headers if kind == _PT_INTERP), None
    )
    dynamic = next(((offset, size) for kind, offset, _, size in headers if kind == _PT_DYNAMIC), None)
    if dynamic is None:
        return Elf(machine, loader)
    entries = _dynamic_entries(data, order, is_wide, *dynamic)
    strings = _strings(data, entries, headers)
    named = {tag: [_name(strings, at) for each, at in entries if each == tag] for tag in _NAMES}
    return Elf(
        machine,
        loader,
        tuple(named[_DT_NEEDED]),
        next(iter(named[_DT_SONAME]), None),
        _folders(named[_DT_RPATH]),
        _folders(named[_DT_RUNPATH]),
    )


def _program_headers(
    data: bytes | mmap.mmap, order: str, is_wide: bool, table: int, entry_size: int, count: int
) -> list[tuple[int, int, int, int]]:
    """(type, offset in the file, address, size in the file) of each."""
    form = struct.Struct(order + ("IIQQQQQQ" if is_wide else "IIIIIIII"))
    if count and (entry_size < form.size or count > _MAX_HEADERS or table + entry_size * count > len(data)):
        raise BadElf("its program headers lie outside the file")
    found = []
    for index in range(count):
        fields = form.unpack_from(data, table + index * entry_size)
        kind = fields[0]
        offset, address, size = (fields[2], fields[3], fields[5]) if is_wide else (fields[1], fields[2], fields[4])
        if kind in (_PT_LOAD, _PT_DYNAMIC, _PT_INTERP):
            if offset + size > len(data):
                raise BadElf("a segment lies outside the file")
            found.append((kind, offset, address, size))
    return found


def _dynamic_entries(
    data: bytes | mmap.mmap, order: str, is_wide: bool, offset: int, size: int
) -> list[tuple[int, int]]:
    form = struct.Struct(order + ("qQ" if is_wide else "iI"))
    entries: list[tuple[int, int]] = []
    for at in range(offset, offset + size - form.size + 1, form.size):
        tag, value = form.unpack_from(data, at)
        if tag == _DT_NULL:
            break
        if len(entries) >= _MAX_ENTRIES:
            raise BadElf("its dynamic section has too many entries")
        entries.append((tag, value))
    return entries


def _strings(
    data: bytes | mmap.mmap, entries: list[tuple[int, int]], headers: list[tuple[int, int, int, int]]
) -> bytes:
    address = next((value for tag, value in entries if tag == _DT_STRTAB), None)
    size = next((value for tag, value in entries if tag == _DT_STRSZ), None)
    if address is None or size is None:
        if any(tag in _NAMES for tag, _ in entries):
            raise BadElf("its dynamic section has names and no string table")
        return b""
    for kind, offset, start, length in headers:
        if kind == _PT_LOAD and start <= address and address + size <= start + length:
            begin = offset + address - start
            return bytes(data[begin : begin + size])
    raise BadElf("its string table lies outside the file")


def _name(strings: bytes, at: int) -> str:
    end = strings.find(b"\0", at, at + _MAX_NAME)
    if at >= len(strings) or end < 0:
        raise BadElf("a name lies outside its string table")
    return _text(strings[at:end])


def _text(raw: bytes) -> str:
    name = raw.partition(b"\0")[0]
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise BadElf("a name is no UTF-8 text") from None


def _folders(paths: list[str]) -> tuple[str, ...]:
    return tuple(folder for path in paths for folder in path.split(":") if folder)


def _unpack(form: str, data: bytes | mmap.mmap, at: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(form, data, at)
    except struct.error:
        raise BadElf("it ends inside its header") from None
