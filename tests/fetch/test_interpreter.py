from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.fetch.closure import host_folders
from mlbuild.fetch.interpreter import Interpreter, find_interpreter, plan_interpreter
from mlbuild.fetch.tree import keep_tree
from mlbuild.store import MemoryStore

Make = Callable[..., bytes]

MODULES = "ssl ctypes sqlite3 hashlib lzma bz2 decimal multiprocessing zlib json uuid sysconfig"


def installation(root: Path, make_elf: Make, site: str = "") -> Interpreter:
    """A small installation of no interpreter at all: what is collected is never run."""
    library = root / "lib/python3.12"
    contents = {
        "os.py": "",
        "site.py": site,
        "json/__init__.py": "",
        "json/__pycache__/__init__.cpython-312.pyc": "",
        "test/test_os.py": "",
        "site-packages/numpy.py": "",
        "dist-packages/numpy.py": "",
        "config-3.12-x86_64-linux-gnu/Makefile": "",
        "sitecustomize.py": "",
        "_sysconfigdata__linux_x86_64-linux-gnu.py": f"build_time_vars = {{'prefix': '{root}'}}\n",
    }
    for path, text in contents.items():
        (library / path).parent.mkdir(parents=True, exist_ok=True)
        (library / path).write_text(text)
    (library / "lib-dynload").mkdir()
    (library / "lib-dynload/_ssl.so").write_bytes(make_elf())
    (library / "lib-dynload/_tkinter.so").write_bytes(make_elf(["libtk.so"]))
    (root / "bin").mkdir()
    loader = root / "lib/ld-linux.so.2"
    loader.write_bytes(make_elf(soname="ld-linux.so.2"))
    own = root / "lib/libpython3.12.so.1.0"
    own.write_bytes(make_elf())
    program = root / "bin/python3.12"
    program.write_bytes(
        make_elf(["libpython3.12.so.1.0"], loader="/lib64/ld-linux-x86-64.so.2", rpath="$ORIGIN/../lib")
    )
    return Interpreter(str(program), str(root), str(library), "lib", "3.12.1")


def test_copies_of_one_installation_give_the_same_tree(tmp_path: Path, make_elf: Make) -> None:
    trees = set()
    for place in ("here", "somewhere/else"):
        interpreter = installation(tmp_path / place, make_elf)
        trees.add(keep_tree(plan_interpreter(interpreter).pieces, MemoryStore()).tree)
    assert len(trees) == 1


def test_the_tree_has_the_interpreter_and_no_tests_packages_or_caches(
    tmp_path: Path, make_elf: Make, store: Any
) -> None:
    plan = plan_interpreter(installation(tmp_path / "p", make_elf))
    listing = store.listing(keep_tree(plan.pieces, store).tree)
    library = {path for path in listing if path.startswith("lib/python3.12/")}
    assert library == {
        "lib/python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py",
        "lib/python3.12/json/__init__.py",
        "lib/python3.12/lib-dynload/_ssl.so",
        "lib/python3.12/os.py",
        "lib/python3.12/site-packages/mlbuild.pth",
        "lib/python3.12/site.py",
    }
    assert {"bin/python3*", "lib/ld.so*", "lib/ld-linux-x86-64.so.2*", "lib/libpython3.12.so.1.0"} <= listing.keys()
    assert listing["bin/python"] == "-> python3"
    assert listing["lib/python3.12/site-packages/mlbuild.pth"] == b"../../../../python-packages\n"


def test_build_data_speaks_of_the_mount(tmp_path: Path, make_elf: Make, store: Any) -> None:
    interpreter = installation(tmp_path / "p", make_elf)
    name = "_sysconfigdata__linux_x86_64-linux-gnu.py"
    Path(interpreter.standard_library, name).write_text(f"'{tmp_path}/p/lib' '{tmp_path}/p' '{tmp_path}/p-more'")
    listing = store.listing(keep_tree(plan_interpreter(interpreter).pieces, store).tree)
    assert listing[f"lib/python3.12/{name}"].decode() == f"'/python/lib' '/python' '{tmp_path}/p-more'"


def test_debians_site_finds_the_packages_too(tmp_path: Path, make_elf: Make, store: Any) -> None:
    plan = plan_interpreter(installation(tmp_path / "p", make_elf, site='x = "dist-packages"'))
    assert store.listing(keep_tree(plan.pieces, store).tree)["lib/python3.12/dist-packages"] == "-> site-packages"


def test_a_virtual_environment_gives_its_base_interpreter(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(tmp_path / "v")], check=True)
    assert find_interpreter(str(tmp_path / "v/bin/python"), "", {}) == find_interpreter("", "", {})


@pytest.mark.parametrize("asked", ["/no/such/python", "python3", "../python"])
def test_an_interpreter_that_is_not_there_is_said(asked: str) -> None:
    with pytest.raises(UserError) as caught:
        find_interpreter(asked, "", {})
    assert caught.value.diagnostics[0].code == "no-such-interpreter"
    assert f"`{asked}`" in caught.value.diagnostics[0].message


def test_a_version_that_uv_does_not_find_is_said() -> None:
    from uv import find_uv_bin

    with pytest.raises(UserError, match=r"no Python interpreter `2.1` on this machine: uv finds none"):
        find_interpreter("2.1", str(find_uv_bin()), {"HOME": "/nonexistent", "PATH": ""})


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter that runs the tests, as a folder."""
    plan = plan_interpreter(find_interpreter("", "", {}))
    folder = tmp_path_factory.mktemp("python")
    for path, piece in plan.pieces.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if hasattr(piece, "target"):
            target.symlink_to(piece.target)
        elif hasattr(piece, "content"):
            target.write_bytes(piece.content)
        else:
            target.symlink_to(piece.path)  # as good as a copy: the interpreter finds its home by `bin/python3` below
    (folder / "bin/python3").unlink()
    (folder / "bin/python3").write_bytes(Path(find_interpreter("", "", {}).executable).read_bytes())
    (folder / "bin/python3").chmod(0o755)
    return folder


def test_this_interpreter_runs_from_its_tree_by_its_own_loader(collected: Path) -> None:
    script = f"import sys, {', '.join(MODULES.split())}; print(sys.prefix)"
    command = [f"{collected}/lib/ld.so", "--library-path", f"{collected}/lib", f"{collected}/bin/python3", "-s", "-B"]
    done = subprocess.run([*command, "-c", script], capture_output=True, text=True, env={}, timeout=60)
    assert (done.stdout.strip(), done.stderr) == (str(collected), "")


def test_a_library_that_is_asked_for_comes_along_or_is_named(tmp_path: Path, make_elf: Make) -> None:
    interpreter = installation(tmp_path / "p", make_elf)
    known = plan_interpreter(interpreter).pieces
    folders = map(Path, host_folders((64, False, 62)))
    name = next(
        path.name for folder in folders for path in sorted(folder.glob("lib*.so.?")) if f"lib/{path.name}" not in known
    )
    assert f"lib/{name}" in plan_interpreter(interpreter, (), [name]).pieces
    with pytest.raises(UserError) as caught:
        plan_interpreter(interpreter, (), [name, "libabsent.so.7"])
    assert [each.code for each in caught.value.diagnostics] == ["missing-library"]
    assert "this host lacks `libabsent.so.7`" in caught.value.diagnostics[0].message
