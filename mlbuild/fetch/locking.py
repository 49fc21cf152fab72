"""What `mlbuild lock` asks uv: requirements resolved to exact versions with the hashes of their files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping

from mlbuild.diagnostics import ExitCode, did_you_mean, fail
from mlbuild.fetch.interpreter import Interpreter
from mlbuild.fetch.lock import check_lock
from mlbuild.fetch.uv import Uv, complaint
from mlbuild.records import record

HEADER = "# Made by `mlbuild lock`: every package that the requirements need, pinned by version and hash.\n"

PLATFORMS: Mapping[str, str] = {
    "linux-aarch64": "sys_platform == 'linux' and platform_machine == 'aarch64'",
    "linux-x86_64": "sys_platform == 'linux' and platform_machine == 'x86_64'",
    "macos-arm64": "sys_platform == 'darwin' and platform_machine == 'arm64'",
    "macos-x86_64": "sys_platform == 'darwin' and platform_machine == 'x86_64'",
    "windows-x86_64": "sys_platform == 'win32' and platform_machine == 'AMD64'",
}
"""What a lock can be asked to be for, each with the marker that holds there."""

PROJECT = "pyproject.toml"


@record
class Text:
    """A file of the person's: the path that it is known by, and what is in it."""

    path: str
    content: str


@record
class LockRequest:
    """What is to be locked, for the platforms that it must fit: for all that it may fit, if none is named.

    `extras` and `groups` are those of the project, where the requirements are a `pyproject.toml`.
    """

    requirements: Text
    constraints: Text | None = None
    overrides: Text | None = None
    platforms: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def is_project(self) -> bool:
        return os.path.basename(self.requirements.path) == PROJECT


def lock(request: LockRequest, interpreter: Interpreter, uv: Uv, previous: str = "") -> str:
    """The lock of the request for the interpreter's version, the same on every machine that asks the same index.

    Versions of the `previous` lock are kept where they still fit. Only versions that have wheels are taken, for each of the
    platforms that are named: an environment never builds a package from source.

    Raises:
        UserError: if there is no solution, or the index cannot be asked.
    """
    _check(request)
    with tempfile.TemporaryDirectory(prefix="mlbuild-lock-") as folder:
        shown: dict[str, str] = {}

        def written(name: str, text: Text) -> str:
            place = os.path.join(folder, name)
            with open(place, "w", encoding="utf-8") as file:  # noqa: PTH123
                file.write(text.content)
            shown[place] = shown[name] = text.path
            return place

        made = written("lock.txt", Text("the lock", previous))
        options: list[str] = []
        if request.constraints is not None:
            options += ["--constraints", written("constraints.txt", request.constraints)]
        if request.overrides is not None:
            options += ["--overrides", written("overrides.txt", request.overrides)]
        if request.platforms:
            # Only a project may say this to uv: here is one that says nothing else.
            written(PROJECT, Text(PROJECT, _project(request.platforms)))
            uv = uv.of_project(folder)
        if request.is_project:
            options += [*_each("--extra", request.extras), *_each("--group", request.groups)]
            source, stdin = written(PROJECT, request.requirements), ""
        else:
            source, stdin = "-", request.requirements.content
        arguments = [
            "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate",
            "--only-binary", ":all:", "--python", interpreter.executable,
            "--python-version", interpreter.short_version, *uv.index_options, *options, "--output-file", made, source,
        ]  # fmt: skip
        code, _, stderr = uv.run(arguments, folder, stdin)
        with open(made, encoding="utf-8") as file:  # noqa: PTH123
            out = file.read()
    if code != 0:
        for name in sorted(shown, key=len, reverse=True):
            stderr = stderr.replace(f"`{name}`", f"`{shown[name]}`")
        hint = None
        if request.platforms and "compatible wheels" in stderr:
            hint = "leave the platform out of `platforms`, or ask for a version that has wheels for it"
        raise complaint("lock-failed", f"`{request.requirements.path}` cannot be locked", stderr, hint)
    text = HEADER + "".join(line + "\n" for line in out.splitlines() if line.strip() and not line.startswith("#"))
    check_lock(text)
    return text


def _check(request: LockRequest) -> None:
    for name in request.platforms:
        if name not in PLATFORMS:
            close = did_you_mean(name, PLATFORMS)
            known = ", ".join(f"`{each}`" for each in PLATFORMS)
            raise fail(
                "no-such-platform",
                f"a lock cannot be made for `{name}`",
                hint=f"did you mean `{close}`?" if close else f"there are {known}",
                exit_code=ExitCode.BUILD_FAILED,
            )
    if request.platforms and request.is_project:
        raise fail(
            "platforms-of-project",
            f"`{request.requirements.path}` says itself which platforms it is for",
            hint="write `environments` and `required-environments` into its table `[tool.uv]`, and leave out `platforms`",
        )


def _project(platforms: tuple[str, ...]) -> str:
    markers = ", ".join(f'"{PLATFORMS[name]}"' for name in sorted(set(platforms)))
    return f"[tool.uv]\nenvironments = [{markers}]\nrequired-environments = [{markers}]\n"


def _each(option: str, values: tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (option, value)]
