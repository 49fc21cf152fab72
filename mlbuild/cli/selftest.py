"""`mlbuild selftest`."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlbuild.cli.ending import listen
from mlbuild.cli.main import main
from mlbuild.cli.showing import show
from mlbuild.diagnostics import ExitCode, did_you_mean, fail

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest, SelftestRequest
    from mlbuild.selftest import Campaign


def run(request: BuildRequest) -> int:
    from mlbuild.selftest import campaigns, driver, figures

    chosen = _chosen(request, campaigns())
    asked = request.selftest
    seed = 1 if asked.seed is None else asked.seed
    show(tuple(figures.heading(seed)))
    plan = [
        (each, asked.count or (each.size.long if asked.is_long else each.size.short), _seconds(asked, each))
        for each in chosen
    ]
    is_well = True
    for figure in driver.run(plan, seed, request.jobs, command):
        show(tuple(figures.told(figure)))
        is_well = is_well and not figure.violations
    return int(ExitCode.SUCCESS if is_well else ExitCode.BUILD_FAILED)


def _seconds(asked: SelftestRequest, campaign: Campaign) -> float:
    if asked.minutes is not None:
        return 60.0 * asked.minutes
    return float("inf") if asked.is_long or asked.count else campaign.size.seconds


def command(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command line as a process of its own has it."""
    listen()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    return main(argv, environ)


def _chosen(request: BuildRequest, known: tuple[Campaign, ...]) -> tuple[Campaign, ...]:
    names = {each.name: each for each in known}
    for name in request.selftest.only:
        if name not in names:
            close = did_you_mean(name, names)
            raise fail(
                "no-campaign",
                f"`mlbuild selftest` has nothing that is called `{name}`",
                hint=f"did you mean `--only={close}`?" if close else f"it has {', '.join(names)}",
                exit_code=ExitCode.COMMAND_LINE,
            )
    return tuple(each for each in known if not request.selftest.only or each.name in request.selftest.only)
