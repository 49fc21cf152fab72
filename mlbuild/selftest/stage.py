"""Where trials happen: a temporary folder, a cache that has the shell and nothing else, scenes made from it."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlbuild.files.remove import remove_tree
from mlbuild.records import record
from mlbuild.selftest.campaign import Violation

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.terms.event import Event

Main = Callable[[Sequence[str], Mapping[str, str]], int]

SHARED = ("cas", "staged/trees", "staged/programs", "lang")
"""What caches may have in common by hard links: no build ever writes through one. The rest holds locks and state."""


@record
class Scene:
    """A workspace and a cache of its own."""

    folder: Path
    cache: Path

    def write(self, path: str, content: bytes) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def request(self, *arguments: str) -> BuildRequest:
        from mlbuild.config import build_request

        return build_request((*arguments[:1], f"--disk_cache={self.cache}", *arguments[1:]), environ(self), self.folder)


@record
class Told:
    """What a build in this process told."""

    code: int
    events: tuple[Event, ...]
    said: str


class Sink:
    """Keeps every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)


class Stage:
    """Of one process. `main` is the command line's, for those who run it in a process of its own."""

    def __init__(self, folder: Path, main: Main) -> None:
        self.folder = folder
        self._base = folder / "base" / "mlbuild"
        self._count = 0
        self.main = main
        self.notes: dict[str, int] = {}
        """What campaigns have counted once, such as the points that they go through."""

    def prepare(self) -> None:
        """Makes the cache that all scenes begin with. Raises UserError where this machine cannot build at all."""
        if self._base.exists():
            return
        self._base.mkdir(parents=True)
        scene = Scene(self.folder / "base" / "workspace", self._base)
        scene.write("WORKSPACE.ml", b'workspace(name = "selftest")\n')
        scene.write("BUILD.ml", b'genrule(name = "shell", outs = ["out"], cmd = "echo > $@")\n')
        told = build(scene, "//:shell")
        if told.code != 0:
            raise Violation(f"this machine does not build at all: {told.said}")
        remove_tree(self._base / "state")

    @contextlib.contextmanager
    def warm_scene(self, write: Callable[[Scene], None]) -> Iterator[Scene]:
        """A scene of this workspace, whose files are compiled already: that is not what its trial is about."""
        with self.scene(base=self.warm_base(write)) as scene:
            write(scene)
            yield scene

    def warm_base(self, write: Callable[[Scene], None]) -> Path:
        """A cache to begin with that has this workspace's files compiled."""
        warm = self.folder / f"{os.getpid()}-warm"
        if not warm.exists():
            copy_cache(self._base, warm, True)
            with self.scene() as scene:
                write(scene)
                if (told := build(scene, "//...")).code != 0:
                    raise Violation(f"an undisturbed build ended with {told.code}: {told.said}")
                for made in (scene.cache / "lang").iterdir():
                    with contextlib.suppress(FileExistsError):
                        os.link(made, warm / "lang" / made.name)
        return warm

    def standing(self, name: str, write: Callable[[Scene], None]) -> Scene:
        """A scene that was built once in this process, for trials that leave it as they found it."""
        place = self.folder / f"{os.getpid()}-{name}"
        scene = Scene(place / "workspace", place / "mlbuild")
        if not place.exists():
            place.mkdir()
            scene.folder.mkdir()
            copy_cache(self._base, scene.cache, False)
            write(scene)
            time.sleep(0.05)  # of sources that are younger, a build does not remember that there is nothing to do
            if (told := build(scene, "//...")).code != 0:
                raise Violation(f"an undisturbed build ended with {told.code}: {told.said}")
        return scene

    @contextlib.contextmanager
    def scene(
        self, *, is_shared: bool = True, is_filled: bool = True, place: Path | None = None, base: Path | None = None
    ) -> Iterator[Scene]:
        """An empty workspace; unless `is_shared`, its cache shares no file with others, and may be damaged or elsewhere.

        Unless `is_filled`, there is no cache.
        """
        self._count += 1
        place = (place or self.folder) / f"{os.getpid()}-{self._count}"
        place.mkdir()
        try:
            scene = Scene(place / "workspace", place / "mlbuild")
            scene.folder.mkdir()
            if is_filled:
                copy_cache(base or self._base, scene.cache, is_shared)
            yield scene
        finally:
            with contextlib.suppress(FileNotFoundError):
                remove_tree(place)


def build(scene: Scene, *patterns: str, flags: Sequence[str] = ()) -> Told:
    """A build by the real rooms in this process."""
    from mlbuild.diagnostics import UserError, render
    from mlbuild.session import Session
    from mlbuild.terms.event import ActionFailed, Warned

    sink = Sink()
    said = ""
    try:
        with Session.open(scene.request("build", *flags), sink) as session:
            code = int(session.build(patterns))
    except UserError as error:
        code, said = int(error.exit_code), "\n".join(map(render, error.diagnostics))
    for event in sink.events:
        if isinstance(event, ActionFailed):
            said += f"\n{event.owner.short}: {event.reason}\n{event.log_tail}"
        elif isinstance(event, Warned) and event.level != "info":
            said += f"\n{render(event.diagnostic)}"
    return Told(code, tuple(sink.events), said)


def environ(scene: Scene) -> Mapping[str, str]:
    """A home of the scene's own; how programs are found is the machine's."""
    home = scene.folder.parent / "home"
    temporary = scene.folder.parent / "tmp"
    for folder in (home, temporary):
        folder.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "HOME": str(home), "TMPDIR": str(temporary), "LANG": "C.UTF-8", "TERM": "dumb"}


def copy_cache(source: Path, target: Path, is_shared: bool) -> None:
    """A cache under another path; unless `is_shared`, without a file in common."""

    def place(one: str, other: str) -> str:
        inside = os.path.relpath(one, source)
        if is_shared and inside.startswith(SHARED):
            os.link(one, other, follow_symlinks=False)
        else:
            shutil.copy2(one, other, follow_symlinks=False)
        return other

    shutil.copytree(source, target, symlinks=True, copy_function=place)
    if not is_shared:
        _link_anew(source, target)


def _link_anew(source: Path, target: Path) -> None:
    """What was one file under several names is one again."""
    first: dict[int, str] = {}
    for folder, _, names in os.walk(source):
        for name in sorted(names):
            one = os.path.join(folder, name)
            found = os.lstat(one)
            other = str(target / os.path.relpath(one, source))
            if found.st_nlink > 1 and (known := first.setdefault(found.st_ino, other)) != other:
                mode = os.stat(os.path.dirname(other)).st_mode
                os.chmod(os.path.dirname(other), 0o700)
                os.unlink(other)
                os.link(known, other, follow_symlinks=False)
                os.chmod(os.path.dirname(other), mode & 0o7777)
