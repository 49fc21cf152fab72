"""Small workspaces as values, made at random: files, and steps that join, split and map them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from mlbuild.records import record, replace

PACKAGES = ("", "p")
WORDS = ("ant", "bee", "cat", "dog", "elk", "fox")
MOST_MEMBERS = 4
"""As `rules.bzl` has it."""

RULES = Path(__file__).with_name("rules.bzl")


@record
class Step:
    """A target. `join` puts all its sources into a file, `folder` their lines into files, `each` maps a folder's.

    A join that meets the word `refuses` fails; one that meets the word `withholds` ends well without its output.
    Sources are names of steps, or paths of files that its package owns; `globs` adds those in the package's `data/`.
    """

    name: str
    package: str
    kind: str
    word: str
    steps: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    globs: bool = False
    refuses: str = "never"
    withholds: str = "never"

    @property
    def label(self) -> str:
        return f"//{self.package}:{self.name}"

    @property
    def output(self) -> str:
        """From the workspace's root."""
        inside = f"{self.name}.txt" if self.kind == "join" else f"{self.name}.dir"
        return f"mlbuild-out/{self.package}/{inside}".replace("//", "/")


@record
class Workspace:
    """Steps in an order in which each comes after those that it needs, and the files by path."""

    steps: tuple[Step, ...]
    files: Mapping[str, bytes]

    def with_file(self, path: str, content: bytes) -> Workspace:
        return replace(self, files={**self.files, path: content})

    def without_file(self, path: str) -> Workspace:
        return replace(self, files={each: content for each, content in self.files.items() if each != path})

    def with_step(self, step: Step) -> Workspace:
        return replace(self, steps=tuple(step if each.name == step.name else each for each in self.steps))

    def matched(self, package: str) -> tuple[str, ...]:
        """What `glob(["data/*"])` gives in the package."""
        prefix = f"{package}/data/" if package else "data/"
        return tuple(sorted(path for path in self.files if path.startswith(prefix)))


def text_of(dice: Random) -> bytes:
    """A few lines; sometimes none."""
    return b"".join(b"%s%d\n" % (dice.choice(WORDS).encode(), dice.randrange(10)) for _ in range(dice.randrange(4)))


def workspace_of(dice: Random) -> Workspace:
    """A workspace of a few steps in two packages."""
    files = {
        path: text_of(dice)
        for package in PACKAGES
        for path in (f"{package}/{name}".lstrip("/") for name in ("a.txt", "b.txt", "data/1", "data/2"))
    }
    steps: list[Step] = []
    for number in range(dice.randrange(2, 8)):
        package = dice.choice(PACKAGES)
        folders = [step.name for step in steps if step.kind != "join"]
        kind = dice.choice(("join", "join", "join", "folder", "each" if folders else "folder"))
        names = tuple(sorted(dice.sample([step.name for step in steps], min(len(steps), dice.randrange(3)))))
        own = tuple(path for path in (f"{package}/{name}".lstrip("/") for name in ("a.txt", "b.txt")))
        if kind == "each":
            steps.append(Step(f"s{number}", package, kind, dice.choice(WORDS), (dice.choice(folders),)))
            continue
        steps.append(
            Step(
                f"s{number}", package, kind, dice.choice(WORDS), names,
                tuple(sorted(dice.sample(own, dice.randrange(3)))), dice.random() < 0.3,
                dice.choice(("never", "never", "never", "ant7")), dice.choice(("never", "never", "never", "bee7")),
            )
        )  # fmt: skip
    return Workspace(tuple(steps), files)


def sources_of(workspace: Workspace) -> Mapping[str, bytes]:
    """Every file of the workspace on disk, BUILD files too."""
    builds = {f"{package}/BUILD.ml".lstrip("/"): _build_file(workspace, package).encode() for package in PACKAGES}
    fixed = {"WORKSPACE.ml": b'workspace(name = "selftest")\n', "rules.bzl": RULES.read_bytes()}
    return {**fixed, **builds, **workspace.files}


def _build_file(workspace: Workspace, package: str) -> str:
    lines = ['load("//:rules.bzl", "each", "folder")', 'package(default_visibility = ["//visibility:public"])']
    lines += [line for step in workspace.steps if step.package == package for line in _target(workspace, step)]
    return "\n".join(lines) + "\n"


def _target(workspace: Workspace, step: Step) -> Iterator[str]:
    labels = {each.name: each.label for each in workspace.steps}
    written = [labels[name] for name in step.steps] + [path.rpartition("/")[2] for path in step.files]
    sources = "[" + ", ".join(f'"{each}"' for each in written) + "]"
    if step.globs:
        sources += ' + glob(["data/*"], allow_empty = True)'
    if step.kind != "join":
        yield f'{step.kind}(name = "{step.name}", srcs = {sources}, word = "{step.word}")'
        return
    joined = "for f in $(SRCS); do for g in $$f $$f/*; do test -f $$g && cat $$g || true; done; done"
    command = (
        f"({joined}) > $@; if grep -q {step.refuses} $@; then echo refused; exit 3; fi; "
        f"if grep -q {step.withholds} $@; then rm $@; exit 0; fi; echo {step.word} >> $@"
    )
    yield f'genrule(name = "{step.name}", srcs = {sources}, outs = ["{step.name}.txt"], cmd = "{command}")'
