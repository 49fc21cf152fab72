"""What a spawn sees of surroundings that are not the ordinary ones, and that it sees nothing else of them."""

from __future__ import annotations

import json
import platform
import time
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


NOW = "import time; print(int(time.time()))"
DRAWN = "import os; print(os.urandom(9).hex(), hash('text'))"
TIMES = "import time; print([time.time() for _ in range(2)])"


def printed(workshop: Workshop, runner: LinuxRunner, program: str, around: Surroundings) -> str:
    """What a Python program prints."""
    root = workshop.input_root({})
    line = ("/python/bin/python3", "-S", "-c", program)
    result = runner.run(Spawn(line, (("LD_LIBRARY_PATH", "/python/lib"),), root, ()), around)
    assert result.is_success, workshop.store.get(result.stderr)
    return workshop.store.get(result.stdout).decode()


YEARS = 5 * 365 * 24 * 3600
needs_library = pytest.mark.skipif(platform.machine() != "x86_64", reason="the library is made for one processor")


@needs_library
def test_a_program_is_told_a_later_time(workshop: Workshop, varied: LinuxRunner) -> None:
    ordinary = printed(workshop, varied, NOW, ORDINARY)
    later = printed(workshop, varied, NOW, replace(ORDINARY, seconds_later=YEARS))
    assert YEARS <= int(later) - int(ordinary) < YEARS + 1000


@needs_library
def test_a_held_clock_tells_the_same_times_and_goes_on(workshop: Workshop, varied: LinuxRunner) -> None:
    around = replace(ORDINARY, has_held_clock=True)
    first, second = (printed(workshop, varied, TIMES, around) for _ in range(2))
    earlier, later = json.loads(first)
    assert (first, earlier < later) == (second, True)


@needs_library
def test_held_randomness_gives_the_same_bytes(workshop: Workshop, varied: LinuxRunner) -> None:
    around = replace(ORDINARY, has_held_randomness=True)
    first, second = (printed(workshop, varied, DRAWN, around) for _ in range(2))
    assert first == second
    assert printed(workshop, varied, DRAWN, ORDINARY) != printed(workshop, varied, DRAWN, ORDINARY)


@needs_library
def test_time_that_is_not_varied_is_the_machines(workshop: Workshop, varied: LinuxRunner) -> None:
    around = replace(ORDINARY, has_held_randomness=True)
    assert abs(int(printed(workshop, varied, NOW, around)) - time.time()) < 1000


def test_addresses_can_be_held(workshop: Workshop, varied: LinuxRunner) -> None:
    around = replace(ORDINARY, has_fixed_addresses=True, environment=(("PYTHONHASHSEED", "0"),))
    program = "print(open('/proc/self/maps').readline().split('-')[0])"
    assert printed(workshop, varied, program, around) == printed(workshop, varied, program, around)
