"""Which libraries of the system the packages of an environment lack."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.fetch.conftest import elf_bytes

TOOL = Path(__file__).parents[3] / "rules/python/tools/libraries.py"


@pytest.fixture(scope="module")
def libraries() -> ModuleType:
    spec = importlib.util.spec_from_file_location("libraries", TOOL)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_library_that_nobody_brings_is_named_with_the_file_that_wants_it(
    libraries: ModuleType, tmp_path: Path
) -> None:
    packages, system = tmp_path / "packages", tmp_path / "system"
    (packages / "cv2").mkdir(parents=True)
    (packages / "blas.libs").mkdir()
    system.mkdir()
    wanted = ["libGL.so.1", "libblas-3f.so.3", "libc.so.6"]
    (packages / "cv2/cv2.abi3.so").write_bytes(elf_bytes(wanted))
    (packages / "cv2/other.so").write_bytes(elf_bytes(["libGL.so.1"]))
    (packages / "blas.libs/libblas-3f.so.3").write_bytes(elf_bytes())
    (system / "libc.so.6").write_bytes(elf_bytes())
    assert libraries.missing(str(packages), [str(system), str(tmp_path / "absent")]) == {
        "libGL.so.1": "cv2/cv2.abi3.so"
    }


def test_what_is_no_elf_file_or_a_broken_one_wants_nothing(libraries: ModuleType, tmp_path: Path) -> None:
    whole = elf_bytes(["libGL.so.1"])
    file = tmp_path / "x.so"
    file.write_bytes(whole)
    assert libraries.needed(str(file)) == ("libGL.so.1",)
    for end in range(0, 200, 3):
        file.write_bytes(whole[:end])
        assert libraries.needed(str(file)) == ()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        libraries.needed(str(file))
    file.write_bytes(b"INPUT(libGL.so.1)")
    assert libraries.needed(str(file)) == ()
