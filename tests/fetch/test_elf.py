from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlbuild.fetch.elf import BadElf, Elf, parse_elf, read_elf

Make = Callable[..., bytes]


def test_what_a_program_says_of_itself_is_read(make_elf: Make) -> None:
    data = make_elf(["libc.so.6", "libm.so.6"], loader="/lib64/ld-linux-x86-64.so.2", runpath="$ORIGIN/../lib:/opt/lib")
    assert parse_elf(data) == Elf(
        machine=(64, False, 62),
        loader="/lib64/ld-linux-x86-64.so.2",
        needed=("libc.so.6", "libm.so.6"),
        runpath=("$ORIGIN/../lib", "/opt/lib"),
    )


def test_a_library_says_its_soname(make_elf: Make) -> None:
    assert parse_elf(make_elf(soname="libx.so.1", rpath="/a")).soname == "libx.so.1"


def test_a_file_that_is_no_elf_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "empty").touch()
    assert read_elf(str(tmp_path / "script")) is None
    assert read_elf(str(tmp_path / "empty")) is None


def test_every_cut_of_a_program_is_refused_or_read_but_never_breaks(make_elf: Make) -> None:
    data = make_elf(["libc.so.6"], loader="/lib/ld.so", soname="libx.so")
    for length in range(len(data)):
        with pytest.raises(BadElf):
            parse_elf(data[:length])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_hostile_bytes_give_a_clean_error_or_an_answer(make_elf: Make, data: st.DataObject) -> None:
    raw = bytearray(make_elf(["libc.so.6"], loader="/lib/ld.so", soname="libx.so", rpath="/a:/b"))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadElf):
        parse_elf(bytes(raw))


def test_a_name_outside_its_table_is_refused(make_elf: Make) -> None:
    data = make_elf(["libc.so.6"])
    needed = (1).to_bytes(8, "little") + (1).to_bytes(8, "little")
    with pytest.raises(BadElf, match="a name lies outside its string table"):
        parse_elf(data.replace(needed, (1).to_bytes(8, "little") + (1 << 40).to_bytes(8, "little")))


def test_this_interpreter_is_read() -> None:
    import sys

    elf = read_elf(sys._base_executable)  # type: ignore[attr-defined]
    assert elf is not None
    assert elf.loader is not None
    assert elf.needed
