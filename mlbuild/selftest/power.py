"""Power loss: the file system of the cache stops at some moment, and comes back as its journal has it."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path
from random import Random

from mlbuild.selftest.campaign import Campaign, Size, Violation
from mlbuild.selftest.kills import is_right, write_workspace
from mlbuild.selftest.processes import Command, is_honest, nothing_survives
from mlbuild.selftest.refusals import cannot_mount, mount, own_mounts
from mlbuild.selftest.stage import Scene, Stage, copy_cache

SHUTDOWN = 0x8004587D
LOG_FLUSHED, NOTHING_FLUSHED = 1, 2
DISK = 128 << 20
TOOLS = ("mkfs.ext4", "losetup", "cp")


def lacking() -> str | None:
    if (why := cannot_mount()) is not None:
        return why
    if missing := [tool for tool in TOOLS if _tool(tool) is None]:
        return f"this machine has no {' and no '.join(missing)}"
    if not Path("/dev/loop-control").exists():
        return "this machine has no loop devices"
    return None


def trial(stage: Stage, number: int) -> None:
    dice = Random(number)
    own_mounts()
    image = stage.folder / f"image-{os.getpid()}"
    place = stage.folder / f"disk-{os.getpid()}"
    place.mkdir(exist_ok=True)
    _do("cp", "--sparse=always", str(_new_disk(stage, place)), str(image))
    device = _do("losetup", "--find", "--show", str(image)).strip()
    try:
        mount(device, place, "ext4", 0, None)
        try:
            with stage.scene(is_filled=False) as empty:
                # The workspace's own disk goes on: what is lost is the cache's.
                scene = Scene(empty.folder, place / "mlbuild")
                write_workspace(scene)
                command = Command(stage.main, scene, "build", "//...", f"--jobs={dice.choice((1, 2, 4))}")
                time.sleep(dice.random() * dice.choice((0.2, 0.6, 1.5)))
                is_done = command.poll()
                _lose_power(place, dice.choice((LOG_FLUSHED, NOTHING_FLUSHED)))
                command.send(signal.SIGKILL)
                ended = command.wait()
                nothing_survives()
                _unmount(place)
                mount(device, place, "ext4", 0, None)
                said = f"power was lost {'after' if is_done else 'during'} a build that said:\n{ended.said}"
                _comes_back(stage, scene, said)
        finally:
            _unmount(place)
    finally:
        _do("losetup", "--detach", device)
        image.unlink()


def _new_disk(stage: Stage, place: Path) -> Path:
    """The image of a disk with a cache to begin with; made once in a process, at `place`, and unmounted."""
    image = stage.folder / f"new-image-{os.getpid()}"
    if image.exists():
        return image
    made = image.with_suffix(".making")
    with made.open("wb") as file:
        file.truncate(DISK)
    _do("mkfs.ext4", "-q", "-F", str(made))
    device = _do("losetup", "--find", "--show", str(made)).strip()
    try:
        mount(device, place, "ext4", 0, None)
        try:
            copy_cache(stage.warm_base(write_workspace), place / "mlbuild", False)
        finally:
            _unmount(place)
    finally:
        _do("losetup", "--detach", device)
    return made.rename(image)


def _comes_back(stage: Stage, scene: Scene, said: str) -> None:
    from mlbuild.store.upkeep import verify

    # Each entry that came back names what can be had: that was flushed before.
    dangling = [each for each in verify(scene.cache).findings if each.what == "entry" and "names" in each.why]
    if dangling:
        raise Violation(f"results without their files: {dangling}\n{said}")
    again = Command(stage.main, scene, "build", "//...", prepare=_started_again).wait()
    is_honest(again)
    if again.code != 0:
        raise Violation(f"after it the build ended with {again.code}:\n{again.said}\n{said}")
    is_right(scene, said + again.said)


def _started_again() -> None:
    """What reads the name of the machine's run is told another: a loss of power comes with a new one."""
    from mlbuild.files import output_tree, states, tree_list
    from mlbuild.session import null_build
    from mlbuild.store import flushed

    for module in (output_tree, states, tree_list, null_build, flushed):
        vars(module)["boot"] = lambda: "started again"


def _lose_power(place: Path, how: int) -> None:
    """Nothing that is written to the file system from now on stays, nor what was not yet on its disk."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", how))
    finally:
        os.close(descriptor)


def _unmount(place: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    deadline = time.monotonic() + 5
    while libc.umount2(os.fsencode(place), 0) != 0 and time.monotonic() < deadline:
        time.sleep(0.01)


def _tool(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _do(name: str, *words: str) -> str:
    program = _tool(name)
    assert program is not None
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise OSError(f"{name} failed: {done.stderr.strip()}")
    return done.stdout


CAMPAIGN = Campaign(
    "power-loss",
    "the file system of the cache stops as if power were lost, and is mounted again: builds are right, nobody has to repair",
    Size(1, 100, 5_000, 14),
    trial,
    lacking,
)
