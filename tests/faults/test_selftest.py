"""A tiny part of every campaign of `mlbuild selftest`; and each can fail: a broken mlbuild is found out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlbuild.cli.selftest import command
from mlbuild.files import states
from mlbuild.sandbox import linux, outputs, own_folder
from mlbuild.selftest import Campaign, campaigns, collection_races, driver, guided, interception, kills, random_builds
from mlbuild.selftest.campaign import Violation
from mlbuild.selftest.edits import Edit
from mlbuild.selftest.figures import Figure, told
from mlbuild.selftest.graphs import Step, Workspace
from mlbuild.selftest.processes import adopting
from mlbuild.selftest.stage import Stage
from mlbuild.session import rooms


def figure(campaign: Campaign, folder: Path, count: int, seed: int = 1) -> Figure:
    (only,) = driver.run([(campaign, count, 120.0)], seed, 2, command, folder)
    return only


TINY = [each for each in campaigns() if each.size.tiny]


@pytest.mark.parametrize("campaign", TINY, ids=lambda campaign: campaign.name)
def test_the_claim_holds_in_a_few_trials(campaign: Campaign, tmp_path: Path) -> None:
    shown = figure(campaign, tmp_path, campaign.size.tiny)
    if shown.skipped:
        pytest.skip(shown.skipped)
    assert shown.violations == (), "\n".join(told(shown))
    assert shown.done == shown.planned > 0
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_trusts_sizes_and_times_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(found: os.stat_result) -> states.Stamp:
        return states.Stamp(found.st_size, found.st_mtime_ns, 1, 1, found.st_mode)

    monkeypatch.setattr(states.Stamp, "of", careless)
    stage = Stage(tmp_path, command)
    stage.prepare()
    step = Step("s0", "", "join", "ant", files=("a.txt",))
    workspace = Workspace((step,), {"a.txt": b"ant7\n"})
    edits = (Edit("nothing", 0), Edit("equal size, time kept", 0))
    with pytest.raises(Violation, match=r"holds \{'': b'ant7.*should \{'': b'ont1"):
        random_builds.tell(stage, random_builds.Story(workspace, edits))


def test_a_command_that_does_not_tidy_up_after_a_killed_one_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (lacking := interception.lacking()) is not None:
        pytest.skip(lacking)
    stage = Stage(tmp_path, command)
    stage.prepare()
    for room in (rooms, own_folder):
        monkeypatch.setattr(room, "remove_leftovers", lambda folder: None)
    with adopting(), pytest.raises(Violation, match=r"left over after the next build: .*run/runs/"):
        kills.killed_at_a_call(stage, kills.calls_of_a_build(stage) // 2)


def test_outputs_that_change_after_they_were_collected_are_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_early(work: Path, *others: object) -> object:
        collected = outputs.collect_outputs(work, *others)  # type: ignore[arg-type]
        for path, _ in collected[0]:
            if (work / path).is_file():
                (work / path).write_bytes(b"later")
        return collected

    monkeypatch.setattr(linux, "collect_outputs", too_early)
    with (
        adopting(),
        pytest.raises(Violation, match=r"was kept as a file of .*, but what was left is a file of 5 bytes"),
    ):
        for number in range(20):
            collection_races.trial(Stage(tmp_path, command), number)


BROKEN = """
import sys
from pathlib import Path
from mlbuild.selftest import bad_input, guided

cases = bad_input.cases

def broken(scene):
    def glob(given):
        if b"[" in given:
            raise KeyError("not in words")
        cases(scene)["glob"](given)
    return {**cases(scene), "glob": glob}

bad_input.cases = broken
guided.fuzz("glob", 1, Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_reader_that_fails_without_words_is_found_out_by_the_fuzzer(tmp_path: Path) -> None:
    if (lacking := guided.lacking()) is not None:
        pytest.skip(lacking)
    (tmp_path / "corpus").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, str(tmp_path), str(tmp_path / "corpus")], capture_output=True, check=False
    )
    assert done.returncode != 0
    (found,) = (tmp_path / "found").iterdir()
    assert b"[" in found.read_bytes()


def test_a_look_at_what_lies_outside_is_found_out(tmp_path: Path) -> None:
    watched = collection_races.untouched(tmp_path / "outside")
    with pytest.raises(Violation, match="what lies outside was touched: 0x20 passwd"), watched:
        (tmp_path / "outside" / "passwd").read_bytes()
    with collection_races.untouched(tmp_path / "outside"):
        (tmp_path / "outside" / "passwd").lstat()
