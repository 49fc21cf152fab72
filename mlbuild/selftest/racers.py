"""A hostile program, run inside a sandbox by its path: it ends and leaves processes that go on changing its outputs.

`racers.py SEED MANNERS OUTSIDE REST`: MANNERS are `plain` (files and folders come, grow, move and go) or `hostile`
(links to OUTSIDE, pipes, sockets and odd modes too); it ends REST milliseconds after all of them have begun.
"""

from __future__ import annotations

import _socket
import mmap
import os
import sys
import time
from collections.abc import Callable

FILES = ("file", "deep/er/file", "out/a", "out/b", "out/d/a", "out/d/b", "out/e/a")
FOLDERS = ("out", "deep", "deep/er", "out/d", "out/e")
MOST = 1 << 15


class Dice:
    """Numbers that look random; the standard library's take longer to import than a race takes."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 2654435761 + 1

    def below(self, count: int) -> int:
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        return (self._state >> 33) % count


class Racer:
    """One process that never stops by itself."""

    def __init__(self, seed: int, is_hostile: bool, outside: str) -> None:
        self._dice = Dice(seed)
        self._targets = (
            outside,
            "/etc",
            "/",
            "../" * 6 + "outside",
            "../" * 5 + "outside",
            "/proc/self/root",
            "../../file",
        )
        self._ways: tuple[Callable[[], object], ...] = (
            self._write, self._write, self._append, self._append, self._map, self._move, self._twin, self._exchange, self._away,
        )  # fmt: skip
        if is_hostile:
            self._ways += (self._link, self._swap, self._swap, self._pipe, self._socket, self._mode)

    def run(self, begun: int) -> None:
        # Told first: a mapped file that another one cuts off ends whoever writes to it.
        os.write(begun, b".")
        while True:
            self.change()

    def change(self) -> None:
        try:
            self._ways[self._dice.below(len(self._ways))]()
        except (OSError, ValueError):
            return  # Another one was quicker.

    def _one_of(self, *names: str) -> str:
        return names[self._dice.below(len(names))]

    def _write(self, name: str = "") -> None:
        fd = os.open(name or self._one_of(*FILES), os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NONBLOCK, 0o644)
        try:
            for _ in range(self._dice.below(4)):
                os.write(fd, b"%d\n" % self._dice.below(1 << 30) * 100)
        finally:
            os.close(fd)

    def _append(self) -> None:
        fd = os.open(self._one_of(*FILES), os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
        try:
            if os.fstat(fd).st_size < MOST:
                os.write(fd, b"more\n" * 50)
        finally:
            os.close(fd)

    def _map(self) -> None:
        fd = os.open(self._one_of(*FILES), os.O_RDWR | os.O_NONBLOCK)
        try:
            with mmap.mmap(fd, min(os.fstat(fd).st_size, 4096)) as view:
                for _ in range(20):
                    view[self._dice.below(len(view))] = self._dice.below(256)
        finally:
            os.close(fd)

    def _move(self) -> None:
        name = self._one_of(*FILES)
        os.rename(name, self._one_of(*FILES))
        self._write(name)

    def _twin(self) -> None:
        name, other = self._one_of(*FILES), self._one_of(*FILES)
        os.link(name, f"{other}.new", follow_symlinks=False)
        os.replace(f"{other}.new", other)

    def _exchange(self) -> None:
        """A folder and another that was in its place before, or is new."""
        name = self._one_of(*FOLDERS)
        kept, between = (f"{word}-{os.getpid()}-{name.replace('/', '-')}" for word in ("kept", "between"))
        os.makedirs(kept, exist_ok=True)
        os.rename(name, between)
        os.rename(kept, name)
        os.rename(between, kept)
        for file in FILES:
            if file.startswith(f"{name}/"):
                self._write_below(file)

    def _write_below(self, file: str) -> None:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        self._write(file)

    def _away(self) -> None:
        """Anything that is no folder goes, and a file comes in its place."""
        name = self._one_of(*FILES, *FILES, *FOLDERS)
        os.unlink(name)
        if name in FOLDERS:
            os.mkdir(name)
        else:
            self._write(name)

    def _link(self) -> None:
        new = f"link-{os.getpid()}"
        os.symlink(self._one_of(*self._targets), new)
        os.replace(new, self._one_of(*FILES))

    def _swap(self) -> None:
        """A folder, or what is above it, becomes a link out, and mostly a folder again."""
        name, aside = self._one_of(*FOLDERS), f"aside-{os.getpid()}"
        os.rename(name, aside)
        os.symlink(self._one_of(*self._targets[:2], "../outside"), name)
        os.unlink(name)
        os.rename(aside, name)

    def _pipe(self) -> None:
        os.mkfifo(self._one_of(*FILES, *FOLDERS))

    def _socket(self) -> None:
        server = _socket.socket(_socket.AF_UNIX)  # the module that wraps it takes longer to import than a race takes
        try:
            server.bind(self._one_of(*FILES))
        finally:
            server.close()

    def _mode(self) -> None:
        os.chmod(self._one_of(*FILES, *FOLDERS), (0, 0o4755, 0o777, 0o500)[self._dice.below(4)])


def start(way: int, race: Callable[[], None]) -> None:
    """A child, in this session or another, in this process group or another, or with a parent that is gone."""
    if os.fork():
        return
    try:
        if way == 1:
            os.setpgid(0, 0)
        elif way >= 2:
            os.setsid()
        if way == 3 and os.fork():
            os._exit(0)
        race()
    finally:
        os._exit(1)


def main() -> None:
    seed, manners, outside, rest = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    for folder in ("out/d", "out/e", "deep/er"):
        os.makedirs(folder, exist_ok=True)
    reading, writing = os.pipe()
    dice = Dice(seed)
    count = 1 + dice.below(4)
    for number in range(count):
        racer = Racer(seed * 10 + number, manners == "hostile", outside)
        start(dice.below(4), lambda racer=racer: racer.run(writing))  # type: ignore[misc]
    for _ in range(count):
        os.read(reading, 1)
    time.sleep(rest / 1000)
    os._exit(0)


if __name__ == "__main__":
    main()
