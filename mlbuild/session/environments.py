"""`mlbuild env`: environments that were built, compared, listed, or put where editors look for them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.environments import Contents, bill_of_materials, compare, contents, lines, plain
from mlbuild.records import record
from mlbuild.terms import ActionGraph, Artifact, ConfiguredTarget, FileValue, RunCommand, TreeValue

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.session.rooms import Rooms

LISTING, PINS, WHEELS = "environment", "pins", "wheels"
"""The output groups by which a rule says that it makes an environment: the list of what there is, the lock taken apart, and a tree
of each package."""

INTERPRETER, PACKAGES = "python", "python-packages"
"""The mounts of its trees."""

LINK = ".venv"


@record
class Parts:
    """The artifacts of an environment."""

    target: ConfiguredTarget
    command: RunCommand
    listing: Artifact
    interpreter: Artifact
    packages: Artifact | None
    pins: Artifact | None
    wheels: Artifact | None

    @property
    def all(self) -> tuple[Artifact, ...]:
        optional = (each for each in (self.packages, self.pins, self.wheels) if each is not None)
        return (self.listing, self.interpreter, *optional)


@record
class Built:
    """An environment with its trees in the store."""

    contents: Contents
    interpreter: TreeValue
    packages: TreeValue | None
    wheels: TreeValue | None


def parts(target: ConfiguredTarget) -> Parts:
    """Raises UserError for a target that is no environment."""
    mounts = {mount.path: mount.content for mount in target.run.mounts} if target.run is not None else {}
    listing = target.groups.get(LISTING, ())
    interpreter, packages = mounts.get(INTERPRETER), mounts.get(PACKAGES)
    if target.run is None or len(listing) != 1 or not isinstance(interpreter, Artifact):
        raise fail(
            "no-environment",
            f"`{target.label.short}` ({target.kind}) is no environment",
            location=target.location,
            hint="name a `py_env` target",
            exit_code=ExitCode.COMMAND_LINE,
        )
    pins, wheels = target.groups.get(PINS, ()), target.groups.get(WHEELS, ())
    return Parts(
        target,
        target.run,
        listing[0],
        interpreter,
        packages if isinstance(packages, Artifact) else None,
        pins[0] if pins else None,
        wheels[0] if wheels else None,
    )


def asked(rooms: Rooms, request: BuildRequest, graph: ActionGraph, names: tuple[str, ...]) -> tuple[Parts, ...]:
    """The environments that each of the names means, in this order. Raises UserError for one that is not one target."""
    targets = {target.label: target for target in graph.targets}
    found: list[Parts] = []
    for name in names:
        labels = tuple(rooms.loader.expand((name,), request.package))
        if len(labels) != 1:
            raise fail(
                "one-target",
                f"`{name}` names {len(labels)} targets: `mlbuild env` takes one environment for each name",
                exit_code=ExitCode.COMMAND_LINE,
            )
        found.append(parts(targets[labels[0]]))
    return tuple(found)


def built(found: Parts, values: Mapping[Artifact, FileValue | TreeValue], rooms: Rooms) -> Built:
    """Reads what was made. Raises BlobMissing."""
    interpreter = _tree(values[found.interpreter])
    packages = None if found.packages is None else _tree(values[found.packages])
    pins = None if found.pins is None else _tree(values[found.pins])
    wheels = None if found.wheels is None else _tree(values[found.wheels])
    listing = rooms.store.get(values[found.listing].digest).decode("utf-8", "replace")
    label = found.target.label.short
    variables = dict(found.command.environment)
    about = contents(label, listing, variables, interpreter, packages, pins, rooms.store.get)
    return Built(about, interpreter, packages, wheels)


def _tree(value: FileValue | TreeValue) -> TreeValue:
    assert isinstance(value, TreeValue)
    return value


def _diff(found: tuple[Built, ...], request: BuildRequest, rooms: Rooms) -> tuple[str, ...]:
    differences = compare(found[0].contents, found[1].contents)
    if request.verifying.output == "json":
        return (json.dumps(plain(differences), indent=2),)
    return tuple(lines(differences))


def _sbom(found: tuple[Built, ...], request: BuildRequest, rooms: Rooms) -> tuple[str, ...]:
    return (bill_of_materials(found[0].contents),)


def _link(found: tuple[Built, ...], request: BuildRequest, rooms: Rooms) -> tuple[str, ...]:
    from mlbuild.files.virtual_environment import link

    environment = found[0]
    real, shown = _folder(request, LINK)
    about = environment.contents
    is_new = link(real, about.label, about.python, environment.interpreter, environment.packages, rooms.store)
    said = f"python {about.python}, {len(about.packages)} package{'' if len(about.packages) == 1 else 's'}"
    return (f"{shown}: {said}" if is_new else f"{shown} is up to date: {said}",)


def _kernel(found: tuple[Built, ...], request: BuildRequest, rooms: Rooms) -> tuple[str, ...]:
    from mlbuild.session.environment_exports import write_kernel

    return (write_kernel(found[0].contents, request),)


def _oci(found: tuple[Built, ...], request: BuildRequest, rooms: Rooms) -> tuple[str, ...]:
    from mlbuild.session.environment_exports import write_image

    real, shown = _folder(request, f"{found[0].contents.label.rpartition(':')[2]}.oci")
    return (f"{shown}: {write_image(found[0].contents, found[0].wheels, real, rooms)}",)


def _folder(request: BuildRequest, usual: str) -> tuple[Path, str]:
    """The folder that the person named, or the usual one in the workspace, and how it is called. Raises UserError."""
    named = request.words[2:]
    place = request.working_folder / named[0] if named else request.workspace / usual
    shown = named[0] if named else str(_from_here(place, request))
    place = Path(os.path.normpath(place))
    real = place.parent.resolve() / place.name
    if real.is_relative_to(request.cache_folder.resolve()):
        raise fail(
            "in-the-cache",
            f"`{shown}` lies in the cache folder",
            hint=f"name a folder of your own, or none: then it is `{usual}` in the workspace",
            exit_code=ExitCode.COMMAND_LINE,
        )
    return real, shown


def _from_here(place: Path, request: BuildRequest) -> Path:
    here = request.working_folder
    return place.relative_to(here) if place.is_relative_to(here) else place


@record
class Task:
    """What `mlbuild env` does: with how many environments, and whether a folder may follow them."""

    do: Callable[[tuple[Built, ...], BuildRequest, Rooms], tuple[str, ...]]
    environments: int = 1
    may_name_folder: bool = False
    example: str = ""


TASKS: Mapping[str, Task] = {
    "diff": Task(_diff, 2, example="mlbuild env diff //envs:train //envs:serve"),
    "kernel": Task(_kernel, 1, example="mlbuild env kernel //envs:train"),
    "link": Task(_link, 1, True, "mlbuild env link //envs:train"),
    "oci": Task(_oci, 1, True, "mlbuild env oci //envs:train"),
    "sbom": Task(_sbom, 1, example="mlbuild env sbom //envs:train"),
}


def task_of(words: tuple[str, ...]) -> tuple[Task, tuple[str, ...]]:
    """What is to be done, and the targets that it is done with. Raises UserError (exit code 2)."""
    from mlbuild.diagnostics import did_you_mean

    known = ", ".join(f"`{name}`" for name in TASKS)
    if not words:
        raise _wrong(f"`mlbuild env` needs to be told what to do: {known}", "`mlbuild help env` says what each does")
    if (task := TASKS.get(words[0])) is None:
        close = did_you_mean(words[0], TASKS)
        raise _wrong(
            f"`mlbuild env` has no `{words[0]}`", f"did you mean `mlbuild env {close}`?" if close else f"it has {known}"
        )
    given = len(words) - 1
    if not task.environments <= given <= task.environments + task.may_name_folder:
        wanted = "one environment" if task.environments == 1 else f"{task.environments} environments"
        wanted += " and at most a folder" if task.may_name_folder else ""
        raise _wrong(
            f"`mlbuild env {words[0]}` takes {wanted}, not {given} word{'' if given == 1 else 's'}", f"`{task.example}`"
        )
    return task, words[1 : 1 + task.environments]


def _wrong(message: str, hint: str) -> UserError:
    return fail("env-task", message, hint=hint, exit_code=ExitCode.COMMAND_LINE)
