from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlbuild.fetch.closure import host_folders, library_closure
from mlbuild.fetch.elf import BadElf

Make = Callable[..., bytes]


def put(path: Path, content: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(path)


def test_libraries_of_libraries_are_found_and_loops_end(tmp_path: Path, make_elf: Make) -> None:
    program = put(tmp_path / "bin/p", make_elf(["liba.so"]))
    a = put(tmp_path / "lib/liba.so", make_elf(["libb.so"]))
    b = put(tmp_path / "lib/libb.so", make_elf(["liba.so"]))
    closure = library_closure([program], [str(tmp_path / "lib")], always=())
    assert closure.libraries == {"liba.so": a, "libb.so": b}
    assert closure.missing == ()


def test_a_files_own_search_path_comes_first_and_knows_its_origin(tmp_path: Path, make_elf: Make) -> None:
    program = put(tmp_path / "bin/p", make_elf(["liba.so"], rpath="$ORIGIN/../own"))
    own = put(tmp_path / "own/liba.so", make_elf())
    put(tmp_path / "lib/liba.so", make_elf())
    assert library_closure([program], [str(tmp_path / "lib")], always=()).libraries == {"liba.so": own}


def test_rpath_is_ignored_beside_runpath(tmp_path: Path, make_elf: Make) -> None:
    program = put(tmp_path / "p", make_elf(["liba.so"], rpath=str(tmp_path / "r"), runpath=str(tmp_path / "run")))
    put(tmp_path / "r/liba.so", make_elf())
    chosen = put(tmp_path / "run/liba.so", make_elf())
    assert library_closure([program], [], always=()).libraries == {"liba.so": chosen}


def test_libraries_of_another_machine_are_passed_over(tmp_path: Path, make_elf: Make) -> None:
    program = put(tmp_path / "p", make_elf(["liba.so"]))
    put(tmp_path / "arm/liba.so", make_elf(machine=183))
    mine = put(tmp_path / "x86/liba.so", make_elf())
    closure = library_closure([program], [str(tmp_path / "arm"), str(tmp_path / "x86")], always=())
    assert closure.libraries == {"liba.so": mine}


def test_a_link_is_collected_under_the_name_asked_for(tmp_path: Path, make_elf: Make) -> None:
    program = put(tmp_path / "p", make_elf(["liba.so.1"]))
    real = put(tmp_path / "lib/liba.so.1.2.3", make_elf())
    (tmp_path / "lib/liba.so.1").symlink_to("liba.so.1.2.3")
    assert library_closure([program], [str(tmp_path / "lib")], always=()).libraries == {"liba.so.1": real}


def test_a_missing_library_is_named_with_who_wants_it(tmp_path: Path, make_elf: Make) -> None:
    program = put(tmp_path / "p", make_elf(["libgone.so"]))
    assert library_closure([program], [], always=()).missing == (("libgone.so", program),)


def test_what_is_always_wanted_comes_with_its_own_libraries_if_it_is_there(tmp_path: Path, make_elf: Make) -> None:
    program = put(tmp_path / "p", make_elf())
    put(tmp_path / "lib/libgomp.so.1", make_elf(["libdeep.so"]))
    put(tmp_path / "lib/libdeep.so", make_elf())
    closure = library_closure([program], [str(tmp_path / "lib")], always=["libgomp.so.1", "libabsent.so"])
    assert sorted(closure.libraries) == ["libdeep.so", "libgomp.so.1"]
    assert closure.missing == ()


def test_the_loader_is_no_library(tmp_path: Path, make_elf: Make) -> None:
    loader = put(tmp_path / "lib/ld-linux.so.2", make_elf(soname="ld-linux.so.2"))
    program = put(tmp_path / "p", make_elf(["libc.so.6"], loader=loader))
    put(tmp_path / "lib/libc.so.6", make_elf(["ld-linux.so.2"]))
    closure = library_closure([program], [str(tmp_path / "lib")], always=())
    assert list(closure.libraries) == ["libc.so.6"]
    assert closure.loaders == {"ld-linux.so.2": loader}


def test_a_broken_library_is_named(tmp_path: Path, make_elf: Make) -> None:
    program = put(tmp_path / "p", make_elf(["liba.so"]))
    broken = put(tmp_path / "lib/liba.so", make_elf()[:80])
    with pytest.raises(BadElf, match=broken):
        library_closure([program], [str(tmp_path / "lib")], always=())


def test_the_loaders_configuration_is_read_with_its_includes(tmp_path: Path) -> None:
    for folder in ("one", "two", "conf.d"):
        (tmp_path / folder).mkdir()
    (tmp_path / "ld.so.conf").write_text("# comment\ninclude conf.d/*.conf\n/nowhere/at/all\n")
    (tmp_path / "conf.d/a.conf").write_text(f"{tmp_path}/one  # first\n")
    (tmp_path / "conf.d/b.conf").write_text(f"{tmp_path}/two\ninclude ../ld.so.conf\n")
    found = host_folders((64, False, 62), str(tmp_path / "ld.so.conf"))
    assert found[:2] == (f"{tmp_path}/one", f"{tmp_path}/two")
    assert "/nowhere/at/all" not in found
