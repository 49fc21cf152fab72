"""uv, run on the host with an environment of our making; what it complains about becomes one clear error."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.fetch.settings import IndexSettings, without_credentials
from mlbuild.records import record, replace

_TIMEOUT_SECONDS = 3600
_OFFLINE = re.compile(
    r"(dns error|failed to lookup address|Connection refused|Network is unreachable|Could not connect|"
    r"error sending request|operation timed out|tcp connect error|network (connectivity|was disabled))",
    re.IGNORECASE,
)
_OWN_WORDS = (
    (
        re.compile(r"(\S+) has no wheels with a matching (?:platform|Python (?:ABI|implementation|version)) tag"),
        "`{}` has no wheel for this machine and interpreter",
        "choose a version that has one, another `python` for the environment, or put a wheel of it on an index of yours",
    ),
    (
        re.compile(r"(\S+) has no (?:usable )?wheels\b"),
        "`{}` has no wheel",
        "packages are never built from source while they are fetched: choose a version that has a wheel, or build one in the "
        "sandbox with `py_wheel`, and name that in the environment's `packages`",
    ),
    (
        re.compile(r"Failed to extract archive: (\S+)"),
        "`{}` is no sound wheel",
        "choose another version of the package, and tell its publisher",
    ),
)
"""What uv says, with the name of what it is about; what we say of that; what to try."""


@record
class Uv:
    """uv's program and the settings that it runs under."""

    program: str
    settings: IndexSettings

    def run(self, arguments: Sequence[str], folder: str, stdin: str = "") -> tuple[int, str, str]:
        """(exit code, stdout, stderr) of uv, with `folder` as its working and temporary folder. Raises UserError."""
        import subprocess

        environment = {
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": folder,
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            **dict(self.settings.environment),
        }
        try:
            done = subprocess.run(
                [self.program, *arguments],
                input=stdin.encode(),
                capture_output=True,
                cwd=folder,
                env=environment,
                timeout=_TIMEOUT_SECONDS,
                start_new_session=False,
            )
        except OSError as error:
            raise fail("no-uv", f"uv cannot be run: {error.strerror}", exit_code=ExitCode.ENVIRONMENT) from None
        except subprocess.TimeoutExpired:
            raise fail("uv-timeout", f"uv did not finish within {_TIMEOUT_SECONDS} seconds") from None
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def of_project(self, folder: str) -> Uv:
        """The same, that reads the `pyproject.toml` of the folder where it works, and nothing else that it does not read now."""
        kept = dict(self.settings.environment)
        if kept.pop("UV_NO_CONFIG", None) or kept.pop("UV_CONFIG_FILE", None):
            kept.pop("UV_CONFIG_FILE", None)
            # What the file says that it named has been read already.
            kept |= {"XDG_CONFIG_HOME": folder, "XDG_CONFIG_DIRS": folder}
        return replace(self, settings=replace(self.settings, environment=tuple(sorted(kept.items()))))

    @property
    def index_options(self) -> tuple[str, ...]:
        """What of the settings uv takes as an argument only."""
        return ("--no-index",) if self.settings.has_no_index else ()

    def version(self) -> str:
        """As in `uv 0.5.1`, from the package's metadata if it is there: running uv costs more."""
        name = re.compile(r"uv-(\d[^-]*)\.dist-info\Z")
        for folder in _site_folders(self.program):
            try:
                found = sorted(match[1] for each in os.listdir(folder) if (match := name.match(each)))
            except OSError:
                continue
            if len(found) == 1:
                return found[0]
        code, out, _ = self.run(["--version"], os.path.abspath(os.sep))
        return out.split()[1] if code == 0 and len(out.split()) > 1 else "unknown"


def find_uv(settings: IndexSettings) -> Uv:
    """The uv that was installed with mlbuild. Raises UserError."""
    from uv import find_uv_bin

    try:
        return Uv(os.fspath(find_uv_bin()), settings)
    except FileNotFoundError:
        raise fail(
            "no-uv",
            "uv is not installed beside mlbuild",
            hint="install mlbuild again: uv is one of its dependencies",
            exit_code=ExitCode.ENVIRONMENT,
        ) from None


def complaint(code: str, what: str, stderr: str, hint: str | None = None) -> UserError:
    """What uv says went wrong, as one error: `what` is ours, uv's own words are the notes."""
    lines = [line.rstrip() for line in without_credentials(stderr).splitlines()]
    lines = [line for line in lines if line.strip() and not line.startswith(("Using ", "Resolved ", "warning:"))]
    text = " ".join(stderr.split())
    for pattern, words, advice in _OWN_WORDS:
        if found := pattern.search(text):
            what, hint = f"{what}: {words.format(found[1])}", hint or advice
            break
    if hint is None and _OFFLINE.search(stderr):
        hint = "the package index cannot be reached: check the network, the proxy and uv's or pip's configuration"
    return fail(code, what, hint=hint, notes=_shortened(lines), exit_code=ExitCode.BUILD_FAILED)


def _shortened(lines: Iterable[str], most: int = 40) -> tuple[str, ...]:
    kept = tuple(lines)
    return kept if len(kept) <= most else (*kept[:most], f"... and {len(kept) - most} more lines")


def _site_folders(program: str) -> tuple[str, ...]:
    import uv

    return (os.path.dirname(os.path.dirname(os.path.abspath(str(uv.__file__)))),)
