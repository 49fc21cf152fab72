from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlbuild.diagnostics import UserError, render
from mlbuild.fetch import host_tools
from mlbuild.fetch.host_tools import plan_host_tools
from mlbuild.fetch.tree import keep_tree

Make = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that tools are looked for in."""
    monkeypatch.setattr(host_tools, "FOLDERS", ())
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def program(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)


def test_every_missing_tool_is_named_with_its_package(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        plan_host_tools(["awk", "cat"], ["jq"], [str(folder)])
    assert [render(each) for each in caught.value.diagnostics] == [
        "error[missing-host-tool]: this host has no program `awk` for the shell's actions\n"
        "  hint: install it (Debian and Ubuntu: `apt-get install mawk`)",
        "error[missing-host-tool]: this host has no program `cat` for the shell's actions\n"
        "  hint: install it (Debian and Ubuntu: `apt-get install coreutils`)",
    ]


def test_names_of_one_program_are_links_to_one_file(folder: Path, make_elf: Make, store: Any) -> None:
    program(folder / "busybox", make_elf())
    (folder / "cat").symlink_to("busybox")
    (folder / "ls").symlink_to("busybox")
    tree = keep_tree(plan_host_tools(["ls", "cat"], [], [str(folder)]).pieces, store).tree
    found = {path: content for path, content in store.listing(tree).items() if path.startswith("bin/")}
    assert found == {"bin/cat*": make_elf(), "bin/ls": "-> cat"}


def test_a_script_is_passed_over_for_a_program_further_along(folder: Path, make_elf: Make, tmp_path: Path) -> None:
    program(folder / "tool", b"#!/bin/sh\n")
    (tmp_path / "more").mkdir()
    program(tmp_path / "more/tool", make_elf())
    plan = plan_host_tools(["tool"], [], [str(folder), str(tmp_path / "more")])
    assert getattr(plan.pieces["bin/tool"], "path", None) == str(tmp_path / "more/tool")


def test_optional_tools_are_taken_where_they_are(folder: Path, make_elf: Make) -> None:
    program(folder / "sh", make_elf())
    program(folder / "jq", make_elf(["libm.so.6"]))
    plan = plan_host_tools(["sh"], ["jq", "xz"], [str(folder)])
    assert sorted(path for path in plan.pieces if path.startswith("bin/")) == ["bin/jq", "bin/sh"]


def test_a_tool_without_its_library_is_an_error(folder: Path, make_elf: Make) -> None:
    program(folder / "sh", make_elf(["libgone.so.1"]))
    with pytest.raises(UserError, match=r"`.*/sh` needs `libgone.so.1`, which this host lacks"):
        plan_host_tools(["sh"], [], [str(folder)])


def test_this_hosts_shell_runs_from_its_tree(tmp_path: Path, store: Any) -> None:
    tree = keep_tree(plan_host_tools(["sh", "cat", "sort"], []).pieces, store).tree
    store.materialise(tree, tmp_path)
    command = [f"{tmp_path}/lib/ld.so", "--library-path", f"{tmp_path}/lib", f"{tmp_path}/bin/sh"]
    done = subprocess.run(
        [*command, "-c", "printf 'b\\na\\n' | sort | cat"],
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}/bin", "LD_LIBRARY_PATH": f"{tmp_path}/lib"},
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("a\nb\n", "")
