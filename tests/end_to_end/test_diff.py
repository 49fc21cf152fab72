"""`mlbuild diff`: two builds of one workspace, side by side."""

from __future__ import annotations

import json
import os

from mlbuild.config import build_request
from mlbuild.session import Session
from tests.end_to_end.conftest import Seen, Workspace


def asked(workspace: Workspace, *words: str) -> list[str]:
    request = build_request(
        (words[0], f"--disk_cache={workspace.cache}", *words[1:]),
        {**os.environ, "HOME": str(workspace.cache.parent / "home")},
        workspace.folder,
    )
    with Session.open(request, Seen()) as session:
        return list(session.log() if words[0] == "log" else session.diff())


def two_builds(workspace: Workspace) -> tuple[str, str]:
    """A cell and an attribute are changed between them; their ids."""
    workspace.write("rows.csv", "name,delay\nUA,2\nAA,3\n")
    workspace.write(
        "BUILD.ml",
        'genrule(name = "sorted", srcs = ["rows.csv"], outs = ["sorted.csv"], cmd = "sort -r $(SRCS) > $@")\n'
        'genrule(name = "size", srcs = ["rows.csv"], outs = ["size.txt"], cmd = "wc -l < $(SRCS) > $@")\n',
    )
    assert workspace.build("//...").code == 0
    workspace.edit("rows.csv", "AA,3", "AA,4")
    workspace.edit("BUILD.ml", "wc -l < $(SRCS)", "wc -l   < $(SRCS)")
    assert workspace.build("//...").code == 0
    ids = [line.split()[0] for line in asked(workspace, "log")]
    return ids[-2], ids[-1]


def test_the_cell_the_attribute_and_the_output_are_told(shell_workspace: Workspace) -> None:
    page = asked(shell_workspace, "diff", *two_builds(shell_workspace))
    assert page[2:-1] == [
        "",
        "sources",
        "  `rows.csv`",
        "    line 3, column `delay`: `3` / `4`",
        "",
        "targets that say something else",
        "  //:size (BUILD.ml:2)",
        "    `cmd`: `wc -l < $(SRCS) > $@` / `wc -l   < $(SRCS) > $@`",
        "",
        "outputs",
        "  Genrule //:sorted",
        "    `mlbuild-out/sorted.csv`",
        "      line 3, column `delay`: `3` / `4`",
        "",
    ]
    assert page[-1].endswith(" the same in both")


def test_programs_read_the_same_as_json(shell_workspace: Workspace) -> None:
    told = json.loads("\n".join(asked(shell_workspace, "diff", "--output=json", *two_builds(shell_workspace))))
    assert [each["path"] for each in told["sources"]] == ["rows.csv"]
    assert [(each["target"], each["equal_inputs"]) for each in told["actions"]] == [("//:sorted", False)]


def test_an_action_that_gave_other_bytes_from_the_same_inputs_is_pointed_out(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", 'genrule(name = "drawn", outs = ["drawn.txt"], cmd = "mktemp -u > $@")\n')
    assert shell_workspace.build("//...").code == 0
    for entry in (shell_workspace.cache / "ac").rglob("*"):
        if entry.is_file():
            entry.unlink()
    shell_workspace.write("BUILD.ml", (shell_workspace.folder / "BUILD.ml").read_text() + "# again\n")
    assert shell_workspace.build("//...").code == 0
    ids = [line.split()[0] for line in asked(shell_workspace, "log")]
    page = asked(shell_workspace, "diff", ids[-2], ids[-1])
    assert "  Genrule //:drawn, from the same inputs: `mlbuild verify` finds out why" in page
