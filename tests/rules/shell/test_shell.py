"""The shell that `genrule` and `run_shell` get."""

from __future__ import annotations

from pathlib import Path

from mlbuild.terms import Artifact, FetchAction, SpawnAction
from mlbuild.testing.workspace import MemoryWorkspace, action_making

RULES = Path(__file__).parents[3] / "rules"


def test_a_shell_command_runs_in_the_hosts_collected_tools() -> None:
    files = {"WORKSPACE.ml": "", "BUILD.ml": 'genrule(name = "g", outs = ["o"], cmd = "echo x > $@")'}
    graph = MemoryWorkspace(files, rules=RULES).analyse("//:g")
    action = action_making(graph, "mlbuild-out/o")
    assert isinstance(action, SpawnAction)
    tools = "mlbuild-out/external/mlbuild/rules/shell/host_tools.tools"
    assert {m.path: m.content.path if isinstance(m.content, Artifact) else m.content for m in action.mounts} == {
        "lib": "shell/lib",
        "lib64": "shell/lib",
        "shell": tools,
    }
    assert action.arguments[:4] == ("../shell/lib/ld.so", "--library-path", "../shell/lib", "../shell/bin/sh")
    fetch = action_making(graph, tools)
    assert isinstance(fetch, FetchAction)
    assert fetch.kind == "host_tools"
    assert {"sh", "cat", "sed", "tar"} <= set(dict(fetch.spec)["tools"].split())
    assert "bash" in dict(fetch.spec)["optional"].split()
