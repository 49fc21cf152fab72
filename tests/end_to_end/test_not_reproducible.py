"""The example with planted causes: each is found, with its cause and its line. What is clean is never accused."""

from __future__ import annotations

import json
import os
import platform
import shutil
from pathlib import Path

import pytest

from mlbuild.config import build_request
from mlbuild.session import Session
from tests.end_to_end.conftest import Seen, Workspace

EXAMPLE = Path(__file__).parents[2] / "examples/not_reproducible"

CAUSES = {
    "absolute_path": ({"path"}, 7),
    "clock": ({"time"}, 7),
    "date": ({"clock"}, 7),
    "environment": ({"environment", "locale", "time_zone"}, 7),
    "file_mode": ({"umask"}, 9),
    "float_sum": ({"order"}, 7),
    "folder_order": ({"order"}, 7),
    "host_name": ({"host"}, 7),
    "locale_name": ({"locale"}, 7),
    "object_ids": ({"addresses"}, 12),
    "processors": ({"processors"}, 7),
    "run_id": ({"randomness"}, 7),
    "set_order": ({"hash_seed"}, 6),
    "tar_owner": ({"user"}, 7),
    "time_zone": ({"time_zone"}, 7),
    "unseeded": ({"randomness"}, 7),
    "urandom": ({"randomness"}, 7),
    "user": ({"user"}, 7),
}
COARSE = {"gzip_time": ({"time"}, {"clock"}), "zip_times": ({"time"}, {"clock", "time_zone"})}
"""Their clock stands still for a second or two: what they depend on is seen from run to run, or only years later."""


def found(workspace: Workspace, *words: str) -> tuple[int, dict[str, dict[str, object]]]:
    """The exit code, and the findings by target."""
    argv = ("verify", f"--disk_cache={workspace.cache}", "--output=json", *words)
    request = build_request(argv, {**os.environ, "HOME": str(workspace.cache.parent / "home")}, workspace.folder)
    with Session.open(request, Seen()) as session:
        report, code = session.verify(request.words)
    return int(code), {each["target"]: each for each in json.loads("\n".join(report))["findings"]}


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the clock is varied on one processor alone")
def test_every_planted_cause_is_found_and_named_with_its_line(tmp_path: Path, cache: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "example", ignore=shutil.ignore_patterns("mlbuild-out", "__pycache__"))
    code, findings = found(Workspace(tmp_path / "example", cache), "//...")
    told = {name.removeprefix("//:"): each for name, each in findings.items()}
    assert (code, set(told)) == (3, {*CAUSES, *COARSE})
    for name, (causes, line) in CAUSES.items():
        suspects = told[name]["suspects"]
        assert isinstance(suspects, list)
        assert (name, set(told[name]["causes"])) == (name, causes)  # type: ignore[call-overload]
        assert (f"steps/{name}.py", line) in [(each["path"], each["line"]) for each in suspects]
        assert told[name]["advice"]
    for name, either in COARSE.items():
        assert set(told[name]["causes"]) in either, name  # type: ignore[call-overload]


def test_a_hundred_clean_actions_are_all_identical(shell_workspace: Workspace) -> None:
    commands = (
        "sort $(SRCS) > $@",
        "ls data | sort > $@",
        "cat $(SRCS) | tr a-z A-Z > $@",
        "wc -l < data/1.txt > $@",
        "mkdir /tmp/made; cp $(SRCS) /tmp/made; cat /tmp/made/*.txt > $@",
        "head -c 100000 /dev/zero | cksum > $@",
        "touch $@; chmod 600 $@",
        "(cat data/3.txt; sleep 0) > /tmp/part; cat /tmp/part data/4.txt > $@",
        "seq 1 2000 | sort -rn > $@",
        "printf '%s\\\\n' b a c | sort > $@",
    )
    for number in range(10):
        shell_workspace.write(f"data/{number}.txt", f"{number}\n")
    shell_workspace.write(
        "BUILD.ml",
        "".join(
            f'genrule(name = "clean_{number}", srcs = glob(["data/*.txt"]), outs = ["{number}.out"],'
            f' cmd = "{commands[number % 10]} # {number}")\n'
            for number in range(100)
        ),
    )
    assert found(shell_workspace, "//...") == (0, {})


@pytest.mark.slow
def test_a_ranker_is_identical_in_all_surroundings_from_its_data_to_its_model(flights: Workspace) -> None:
    assert found(flights, "//models:ranker") == (0, {})
