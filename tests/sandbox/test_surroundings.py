"""What a spawn sees of surroundings that are not the ordinary ones, and that it sees nothing else of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlbuild.records import replace
from mlbuild.sandbox import LinuxRunner
from mlbuild.terms import ORDINARY, FileValue, Spawn, Surroundings
from tests.sandbox.conftest import Workshop

LISTED = ("10", "9", "8", "7", "6", "5", "4", "3", "2", "1")


@pytest.fixture
def varied(workshop: Workshop) -> Iterator[LinuxRunner]:
    runner = LinuxRunner(workshop.store, workshop.trees, workshop.home / "varied", varies=True)
    yield runner
    runner.close()


def said(workshop: Workshop, runner: LinuxRunner, command: str, around: Surroundings) -> str:
    """What the command writes into its output, as text."""
    root = workshop.input_root({"in/" + name: name.encode() for name in LISTED})
    arguments = ("../shell/bin/sh", "-c", f"{{ {command}; }} > out")
    environment = (("LD_LIBRARY_PATH", "/shell/lib"), ("PATH", "/shell/bin"))
    result = runner.run(Spawn(arguments, environment, root, ("out",)), around)
    assert result.is_success, workshop.store.get(result.stderr)
    ((_, value),) = result.outputs
    assert isinstance(value, FileValue)
    return workshop.store.get(value.digest).decode()


@pytest.mark.parametrize(
    ("command", "around", "text"),
    [
        ("pwd", replace(ORDINARY, work="/elsewhere"), "/elsewhere\n"),
        ("id -u; id -g", replace(ORDINARY, user_number=4321, group_number=77), "4321\n77\n"),
        ("umask", replace(ORDINARY, umask=0o027), "0027\n"),
        ("cat /sys/devices/system/cpu/online", replace(ORDINARY, processors=3), "0-2\n"),
        ('echo "$NOISE $PATH"', replace(ORDINARY, environment=(("NOISE", "loud"), ("PATH", "/no"))), "loud /shell/bin\n"),
        ("cat in/7", replace(ORDINARY, inputs="/there", is_reversed=True), "7"),
    ],
)  # fmt: skip
def test_surroundings_are_seen(
    workshop: Workshop, varied: LinuxRunner, command: str, around: Surroundings, text: str
) -> None:
    assert said(workshop, varied, command, around) == text


def test_the_host_and_the_user_have_other_names(workshop: Workshop, varied: LinuxRunner) -> None:
    around = replace(ORDINARY, host="elsewhere", user="somebody", user_number=5)
    text = said(workshop, varied, "cat /proc/sys/kernel/hostname /etc/passwd", around)
    assert text.splitlines()[:2] == ["elsewhere", "somebody:x:5:1000::/tmp:/bin/sh"]


def test_folders_are_listed_in_the_reverse_order(workshop: Workshop, varied: LinuxRunner) -> None:
    if not varied.can_reverse:
        pytest.skip("no file system of memory here")
    ordinary = said(workshop, varied, "ls -U in/", ORDINARY).split()
    unlike = said(workshop, varied, "ls -U in/", replace(ORDINARY, is_reversed=True)).split()
    assert sorted(ordinary) == sorted(LISTED)
    assert unlike == ordinary[::-1]
