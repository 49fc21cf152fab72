"""Whole builds while the cache is collected to next to nothing: every one is right, and none fails for it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

from mlbuild.files.remove import remove_tree
from mlbuild.store.upkeep import amounts, collect, verify
from tests.end_to_end.conftest import Workspace

REPOSITORY = Path(__file__).parents[2]
STEPS = 6

COLLECT = """
import sys
from pathlib import Path
from mlbuild.store.upkeep import collect
print("ready", flush=True)
while True:
    done = collect(Path(sys.argv[1]), 1, 1, waits=True)
    print(sum(count for _, count in done.removed), flush=True)
"""


def write(workspace: Workspace, words: list[str]) -> None:
    """A chain of actions, each of which adds its own source to what the one before has made."""
    rules = []
    for step, word in enumerate(words):
        workspace.write(f"word{step}.txt", word + "\n")
        before = f'":step{step - 1}.txt", ' if step else ""
        rules.append(
            f'genrule(name = "step{step}", srcs = [{before}"word{step}.txt"], outs = ["step{step}.txt"], cmd = "cat $(SRCS) > $@")\n'
        )
    workspace.write("BUILD.ml", "".join(rules))


def check(workspace: Workspace, words: list[str], output: str) -> None:
    """Against the slow answer."""
    assert workspace.output(f"step{STEPS - 1}.txt").read_text() == "".join(f"{word}\n" for word in words), output


def command(workspace: Workspace, *arguments: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-P", "-m", "mlbuild", *arguments, f"--disk_cache={workspace.cache}"]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": str(workspace.cache.parent)}
    return subprocess.Popen(
        argv, cwd=workspace.folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_builds_with_collections_in_between(workspace: Workspace) -> None:
    chance = random.Random(5)
    words = [f"word {number}" for number in range(STEPS)]
    for _ in range(5):
        words[chance.randrange(STEPS)] = f"word {chance.randrange(4)}"
        write(workspace, words)
        if chance.random() < 0.5 and workspace.output("").exists():
            remove_tree(workspace.output(""))
        done = workspace.build("//...")
        assert done.code == 0, done.errors + done.failures
        check(workspace, words, done.errors)
        limit = chance.choice((1, amounts(workspace.cache).on_disk // 2, 1 << 40))
        assert collect(workspace.cache, limit, limit, waits=True) is not None
        assert verify(workspace.cache).findings == ()


def test_builds_with_a_limit_below_what_one_of_them_needs(workspace: Workspace) -> None:
    for number in range(3):
        words = [f"limited {number}"] * STEPS
        write(workspace, words)
        done = workspace.build("//...", flags=("--disk_cache_max_size=1",))
        assert done.code == 0, done.errors + done.failures
        check(workspace, words, done.errors)
        assert amounts(workspace.cache).on_disk == 0
    assert verify(workspace.cache).findings == ()


def test_builds_beside_endless_collections(workspace: Workspace, tmp_path: Path) -> None:
    program = [sys.executable, "-c", COLLECT, str(workspace.cache)]
    collector = subprocess.Popen(program, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert collector.stdout is not None
        collector.stdout.readline()
        others = [workspace.copy_to(tmp_path / f"copy{number}") for number in range(2)]
        for number in range(4):
            running = []
            for each, other in enumerate(others):
                words = [f"word {step % (number + 1)} {each * (step % 2)}" for step in range(STEPS)]
                write(other, words)
                running.append((other, words, command(other, "build", "//...")))
            for other, words, process in running:
                output, _ = process.communicate(timeout=120)
                assert process.returncode == 0, output
                check(other, words, output)
    finally:
        collector.kill()
    said, complaint = collector.communicate()
    assert complaint == ""
    assert sum(map(int, said.split())) > 100
    assert verify(workspace.cache).findings == ()


def test_a_build_that_begins_before_and_ends_after_a_collection_runs_nothing_twice(workspace: Workspace) -> None:
    """The second action runs while everything that the build has seen is collected."""
    workspace.write("BUILD.ml", (
        'genrule(name = "early", outs = ["early.txt"], cmd = "echo early > $@")\n'
        'genrule(name = "late", srcs = [":early.txt", "source.txt"], outs = ["late.txt"], cmd = "sleep 4; cat $(SRCS) > $@")\n'
        'genrule(name = "last", srcs = [":early.txt", ":late.txt"], outs = ["last.txt"], cmd = "cat $(SRCS) > $@")\n'
    ))  # fmt: skip
    workspace.write("source.txt", "source\n")
    process = command(workspace, "build", "//...", "--subcommands")
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "sleep 4" in line:
            break
    done = collect(workspace.cache, 1, 1, waits=True)
    assert done is not None and done.waiting > 0
    rest, _ = process.communicate(timeout=60)
    output = "".join(lines) + rest
    assert process.returncode == 0, output
    assert "3 ran" in output, output
    assert workspace.output("last.txt").read_text() == "early\nearly\nsource\n"
    collect(workspace.cache, 1 << 40, 1 << 40, waits=True)
    assert verify(workspace.cache).findings == ()
