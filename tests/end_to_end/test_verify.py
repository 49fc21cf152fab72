"""`mlbuild verify`: the real sandbox, planted causes, and what is left behind."""

from __future__ import annotations

import json
import os

import pytest

from mlbuild.config import build_request
from mlbuild.diagnostics import UserError
from mlbuild.session import Session
from tests.end_to_end.conftest import Seen, Workspace

CLEAN = 'genrule(name = "{name}", srcs = ["in.txt"], outs = ["{name}.txt"], cmd = "{command}")\n'


def verified(workspace: Workspace, *words: str) -> tuple[int, list[str]]:
    """The exit code and the report."""
    argv = ("verify", f"--disk_cache={workspace.cache}", *words)
    request = build_request(argv, {**os.environ, "HOME": str(workspace.cache.parent / "home")}, workspace.folder)
    with Session.open(request, Seen()) as session:
        report, code = session.verify(request.words)
    return int(code), list(report)


def rules(workspace: Workspace, **commands: str) -> None:
    workspace.write("in.txt", "one\n")
    workspace.write("BUILD.ml", "".join(CLEAN.format(name=name, command=text) for name, text in commands.items()))


def test_a_clean_action_is_identical_and_its_result_is_kept(shell_workspace: Workspace) -> None:
    rules(shell_workspace, clean="sort $(SRCS) > $@")
    code, report = verified(shell_workspace, "//:clean")
    assert (code, report[0]) == (0, "identical: 1 action, each run in unlike surroundings, gave the same bytes")
    assert shell_workspace.build("//:clean").ran == []


def test_what_the_cache_has_is_not_taken_for_a_run(shell_workspace: Workspace) -> None:
    rules(shell_workspace, clean="sort $(SRCS) > $@")
    assert shell_workspace.build("//:clean").code == 0
    code, report = verified(shell_workspace, "//:clean")
    assert (code, report[0]) == (0, "identical: 1 action, each run in unlike surroundings, gave the same bytes")


def test_the_action_that_differs_is_named_with_its_cause_and_its_victims_are_not(shell_workspace: Workspace) -> None:
    rules(shell_workspace, where="pwd > $@")
    shell_workspace.write(
        "BUILD.ml",
        (shell_workspace.folder / "BUILD.ml").read_text()
        + 'genrule(name = "victim", srcs = [":where"], outs = ["victim.txt"], cmd = "cat $(SRCS) > $@")\n',
    )
    code, report = verified(shell_workspace, "//:victim")
    assert code == 3
    assert report[:7] == [
        "1 of 2 actions did not always give the same bytes",
        "",
        "Genrule //:where",
        "  differs only when the working path changes",
        "  `mlbuild-out/where.txt`",
        "    line 1: `/work` / `/another-working-folder`",
        "  hint: write paths relative to the working folder, or leave them out of what is written",
    ]


def test_what_differs_is_never_kept(shell_workspace: Workspace) -> None:
    rules(shell_workspace, where="pwd > $@")
    assert verified(shell_workspace, "//:where")[0] == 3
    assert shell_workspace.build("//:where").ran == ["Genrule //:where"]


def test_only_what_is_named_is_varied(shell_workspace: Workspace) -> None:
    rules(shell_workspace, where="pwd > $@")
    code, report = verified(shell_workspace, "--vary=host,umask", "//:where")
    assert (code, report[-1]) == (0, "varied: the host name, the umask")


def test_a_failed_action_ends_with_code_1(shell_workspace: Workspace) -> None:
    rules(shell_workspace, bad="false > $@")
    code, report = verified(shell_workspace, "//:bad")
    assert code == 1
    assert "not verified: 1 action failed, and what needs them" in report


def test_programs_read_the_same_as_json(shell_workspace: Workspace) -> None:
    rules(shell_workspace, who="id -u > $@")
    code, report = verified(shell_workspace, "--output=json", "//:who")
    told = json.loads("\n".join(report))
    (finding,) = told["findings"]
    assert (code, told["identical"], told["compared"]) == (3, False, 1)
    assert (finding["target"], finding["kind"], finding["causes"]) == ("//:who", "surroundings", ["user"])
    assert finding["differences"] == [{"path": "mlbuild-out/who.txt", "how": ["line 1: `1000` / `4321`"]}]


def test_a_remembered_build_is_compared_with_too(shell_workspace: Workspace) -> None:
    rules(shell_workspace, drawn="mktemp -u > $@", clean="sort $(SRCS) > $@")
    assert shell_workspace.build("//...").code == 0
    past = build_request(("log", f"--disk_cache={shell_workspace.cache}"), {**os.environ}, shell_workspace.folder)
    with Session.open(past, Seen()) as session:
        build = session.log()[-1].split()[0]
    code, report = verified(shell_workspace, f"--against={build}", "//...")
    assert code == 3
    assert "  Genrule //:drawn made something else of the same inputs" in report
    code, report = verified(shell_workspace, f"--against={build}", "//:clean")
    assert code == 0
    assert any(line.startswith(f"against build {build}: ") and line.endswith(" the same") for line in report)


def test_a_build_that_is_not_remembered_is_said(shell_workspace: Workspace) -> None:
    rules(shell_workspace, clean="sort $(SRCS) > $@")
    with pytest.raises(UserError, match="no build is remembered"):
        verified(shell_workspace, "--against=ffff", "//:clean")
