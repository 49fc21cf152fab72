from __future__ import annotations

import importlib.util
import marshal
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[3] / "rules/python/tools/bytecode.py"
TAG = sys.implementation.cache_tag


def compiled(source: Path, target: Path, processes: int = 2, seed: str = "0") -> dict[str, bytes | str]:
    """What the tool makes of a tree: bytes by path, targets of links."""
    target.mkdir(parents=True)
    command = [sys.executable, "-s", "-B", str(TOOL), str(source), str(target), "/mounted", str(processes)]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": seed}, timeout=60)
    return {
        str(path.relative_to(target)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(target.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def sources(folder: Path) -> Path:
    texts = {
        "a.py": "x = {'one', 'two', 'three'}\ndef f(y):\n    '''Says.'''\n    return y in {'p', 'q', 'r'} or f\n",
        "p/__init__.py": "from a import x\n",
        "p/b.py": "class C:\n    names = ('x', 'y')\n",
        "p/template.py": "{% not python %}\n",
        "p/data.txt": "data",
    }
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    (folder / "alias").symlink_to("tool")
    return folder


def test_the_tree_is_copied_and_modules_get_bytecode(tmp_path: Path) -> None:
    made = compiled(sources(tmp_path / "in"), tmp_path / "out")
    assert sorted(made) == [
        f"__pycache__/a.{TAG}.pyc",
        "a.py",
        "alias",
        "p/__init__.py",
        f"p/__pycache__/__init__.{TAG}.pyc",
        f"p/__pycache__/b.{TAG}.pyc",
        "p/b.py",
        "p/data.txt",
        "p/template.py",
        "tool",
    ]
    assert made["alias"] == "tool"
    assert (tmp_path / "out/tool").stat().st_mode & 0o111
    assert not (tmp_path / "out/a.py").stat().st_mode & 0o111


def test_the_bytes_are_the_same_in_other_folders_processes_and_hash_seeds(tmp_path: Path) -> None:
    one = compiled(sources(tmp_path / "in"), tmp_path / "out", 1, "0")
    other = compiled(sources(tmp_path / "elsewhere/deep/in"), tmp_path / "out2", 3, "7")
    assert one == other


def test_bytecode_is_never_checked_against_times_and_names_the_mount(tmp_path: Path) -> None:
    made = compiled(sources(tmp_path / "in"), tmp_path / "out")
    code = made[f"p/__pycache__/b.{TAG}.pyc"]
    assert isinstance(code, bytes)
    assert code[:4] == importlib.util.MAGIC_NUMBER
    assert code[4:8] == b"\1\0\0\0"
    assert code[8:16] == importlib.util.source_hash((tmp_path / "in/p/b.py").read_bytes())
    assert marshal.loads(code[16:]).co_filename == "/mounted/p/b.py"


def test_the_interpreter_uses_the_bytecode(tmp_path: Path) -> None:
    compiled(sources(tmp_path / "in"), tmp_path / "out")
    (tmp_path / "out/a.py").write_text("raise SystemExit('read the source')\n")
    done = subprocess.run(
        [sys.executable, "-s", "-B", "-c", "import a; print(a.f(1).__doc__)"],
        env={"PYTHONPATH": str(tmp_path / "out")}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("Says.\n", "")


def test_a_link_that_leads_out_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("x = 1\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/m.py").symlink_to(tmp_path / "outside.py")
    made = compiled(tmp_path / "in", tmp_path / "out")
    assert made["m.py"] == b"x = 1\n"
    assert f"__pycache__/m.{TAG}.pyc" in made


def test_an_empty_tree_is_fine(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert compiled(tmp_path / "in", tmp_path / "out") == {}
