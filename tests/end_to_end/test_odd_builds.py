"""Builds that are odd but right: strange names, hostile actions, huge logs, many targets, readers that go away."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.command import Orphanage, environment, mlbuild_ends, words
from tests.end_to_end.conftest import Built, Workspace


def genrule(name: str, srcs: list[str], out: str, cmd: str) -> str:
    quoted = cmd.replace("\\", "\\\\").replace('"', '\\"')
    return f'genrule(name = "{name}", srcs = {srcs!r}, outs = ["{out}"], cmd = "{quoted}")\n'


def builds(workspace: Workspace, *patterns: str, flags: tuple[str, ...] = ()) -> Built:
    done = workspace.build(*patterns, flags=flags)
    assert done.code == 0, done.errors + done.failures
    return done


def test_names_with_spaces_dots_dashes_and_signs(shell_workspace: Workspace) -> None:
    shell_workspace.write("x y.txt", "spaced\n")
    shell_workspace.write(
        "BUILD.ml",
        genrule("a b", ["x y.txt"], "o p.txt", 'cat "$<" > "$@"')
        + genrule("-dash", [], "-out", "echo dashed > ./$@")
        + genrule("dot..x", [], "a..b", "echo dotted > $@")
        + genrule("we!rd+n~a=m,e@-#()", [], "q,w=e.txt", "echo signs > $@")
        + genrule("all", [], "all.txt", "echo all > $@"),
    )
    builds(shell_workspace, "//...")
    names = ("o p.txt", "-out", "a..b", "q,w=e.txt", "all.txt")
    assert [shell_workspace.output(name).read_text() for name in names] == [
        "spaced\n", "dashed\n", "dotted\n", "signs\n", "all\n",
    ]  # fmt: skip
    for pattern in ("//:a b", "//:-dash", "//:dot..x", "//:we!rd+n~a=m,e@-#()"):
        assert len(builds(shell_workspace, pattern).targets) == 1


def test_a_workspace_whose_path_has_spaces_and_signs_of_other_scripts(
    shell_workspace: Workspace, tmp_path: Path
) -> None:
    place = tmp_path / "größe 大 'quoted' \"$HOME\" $(x)" / "a;b"
    shell_workspace.write("BUILD.ml", genrule("a", ["in.txt"], "out.txt", "cat $< > $@"))
    shell_workspace.write("in.txt", "in\n")
    place.parent.mkdir()
    moved = shell_workspace.copy_to(place)
    done = mlbuild_ends(place, moved.cache, "build", "//...")
    assert (done.code, moved.output("out.txt").read_text()) == (0, "in\n")
    cache = place / "cache ü"
    assert mlbuild_ends(place, cache, "build", "//...", "--define=a=b").code == 0


def test_deep_packages_and_patterns_from_where_one_stands(shell_workspace: Workspace) -> None:
    deep = "/".join("abcdefghij" * 4)
    for package in ("", "a", deep):
        shell_workspace.write(f"{package}/BUILD.ml".lstrip("/"), genrule("x", [], "x.txt", f"echo {len(package)} > $@"))
    builds(shell_workspace, "//...")
    assert shell_workspace.output(f"{deep}/x.txt").read_text() == f"{len(deep)}\n"
    for pattern, targets in (
        (":x", ["//a:x"]),
        ("x", ["//a:x"]),
        ("...", ["//a:x", f"//{deep}:x"]),
        (deep.removeprefix("a/") + ":all", [f"//{deep}:x"]),
        ("//:x", ["//:x"]),
    ):
        done = mlbuild_ends(shell_workspace.folder / "a", shell_workspace.cache, "build", pattern)
        assert [line.split()[1] for line in done.lines if line.startswith("Target ")] == targets


def test_three_hundred_targets_on_one_job_as_on_many(shell_workspace: Workspace) -> None:
    shell_workspace.write(
        "BUILD.ml",
        "".join(genrule(f"t{n}", [f":t{n // 3}.txt"] if n else [], f"t{n}.txt", f"cat $(SRCS) - > $@ < /dev/null; echo {n} >> $@")
                for n in range(300)),
    )  # fmt: skip
    assert len(builds(shell_workspace, "//...", flags=("--jobs=16",)).ran) == 300
    many = {n: shell_workspace.output(f"t{n}.txt").read_text() for n in range(300)}
    shell_workspace.edit("BUILD.ml", "echo 0 ", "echo  0 ")
    assert builds(shell_workspace, "//...", flags=("--jobs=1",)).ran == ["Genrule //:t0"]
    assert {n: shell_workspace.output(f"t{n}.txt").read_text() for n in range(300)} == many


def test_an_action_that_writes_to_its_inputs_harms_nobody(shell_workspace: Workspace) -> None:
    source = shell_workspace.folder / "in.txt"
    source.write_text("mine\n")
    shell_workspace.write(
        "BUILD.ml",
        genrule("append", ["in.txt"], "1", "echo theirs >> $<; cp $< $@")
        + genrule("replace", ["in.txt"], "2", "rm -f $<; echo theirs > $<; cp $< $@")
        + genrule("behind", ["in.txt"], "3", "chmod 666 $< && echo theirs >> $$(readlink -f $<); cp $< $@")
        + genrule("reads", ["in.txt"], "4", "cp $< $@"),
    )
    done = shell_workspace.build("//...", flags=("--keep_going", "--jobs=1"))
    assert done.code == 1
    assert "inputs are read-only (`in.txt`): write to a declared output or to a file under `/tmp`" in done.failures
    assert (source.read_text(), shell_workspace.output("4").read_text()) == ("mine\n", "mine\n")
    assert mlbuild_ends(shell_workspace.folder, shell_workspace.cache, "cache", "verify").code == 0


def test_an_action_leaves_no_process_behind(shell_workspace: Workspace) -> None:
    shell_workspace.write(
        "BUILD.ml",
        genrule("a", [], "o", "(sleep 864311 &); setsid sleep 864312 & (setsid sh -c 'sleep 864313' &) ; echo 1 > $@"),
    )
    with Orphanage() as orphanage:
        assert mlbuild_ends(shell_workspace.folder, shell_workspace.cache, "build", "//:a").code == 0
        assert orphanage.left(within=2) == []
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(b"sleep\x0086431" in each for each in running)


def test_a_log_of_a_hundred_megabytes_is_cut_and_told_at_once(shell_workspace: Workspace) -> None:
    """On one line: nothing that reads it may take more than its length in time."""
    shell_workspace.write("BUILD.ml", genrule("a", [], "o", "head -c 100000000 /dev/zero | tr '\\0' x; exit 3"))
    done = mlbuild_ends(shell_workspace.folder, shell_workspace.cache, "build", "//:a")
    assert (done.code, len(done.said) < 20_000) == (1, True)
    assert "  | (mlbuild: the rest is left out: more than 64 MiB were written)" in done.lines


def test_what_an_action_prints_cannot_reach_the_terminal(shell_workspace: Workspace) -> None:
    shell_workspace.write(
        "BUILD.ml", genrule("a", [], "o", r"printf '\033[2J\033]0;hi\007\b\377\n::error::x\n'; exit 3")
    )
    done = mlbuild_ends(shell_workspace.folder, shell_workspace.cache, "build", "//:a", "--color=yes", "--curses=yes")
    assert done.code == 1
    shown = done.said[done.said.index("ERROR: //:a") : done.said.index("whole log")]
    assert "| \\x1b[2J\\x1b]0;hi\\x07\\x08\ufffd" in shown, shown
    assert "| \\x3a:error::x" in shown
    for control in ("\x07", "\x08", "\x1b]", "\x1b[2J"):
        assert control not in shown


@pytest.mark.parametrize(
    "path", ["../../etc/x", "a//b", "/work/../x", "y" * 300, "./", ".", "BUILD.ml/x", "mlbuild-out/x"]
)
def test_whatever_path_a_log_speaks_of_the_failure_is_told(shell_workspace: Workspace, path: str) -> None:
    said = f"cat: {path}: No such file or directory"
    shell_workspace.write("BUILD.ml", genrule("a", [], "o", rf"echo '{said}'; printf 'cannot open a\0b'; exit 3"))
    done = shell_workspace.build("//:a")
    assert (done.code, done.errors) == (1, "")
    assert done.failures.startswith(f"exit code 3\n{said}\n")


def test_a_reader_that_goes_away_does_not_end_the_build(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", "".join(genrule(f"t{n}", [], f"t{n}.txt", f"echo {n} > $@") for n in range(30)))
    command = " ".join(words(shell_workspace.cache, "build", "//...", "--subcommands"))
    done = subprocess.run(
        ["bash", "-c", f"{command} 2>&1 | head -1; echo ${{PIPESTATUS[0]}}"], cwd=shell_workspace.folder,
        env=environment(shell_workspace.cache), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.stdout.splitlines()[-1], done.stderr) == ("0", "")
    assert shell_workspace.output("t29.txt").read_text() == "29\n"
