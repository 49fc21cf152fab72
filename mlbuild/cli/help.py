"""`mlbuild help`: made from the same table that parses the flags."""

from __future__ import annotations

from mlbuild.cli.showing import show
from mlbuild.config import find_command
from mlbuild.flags import COMMANDS, Command, Flag


def run(arguments: tuple[str, ...]) -> int:
    show(of_command(find_command(arguments)) if arguments else overview())
    return 0


def overview() -> list[str]:
    width = max(map(len, COMMANDS))
    return [
        "mlbuild: a hermetic, incremental build system for machine learning",
        "",
        "usage: mlbuild COMMAND [FLAGS] [ARGUMENTS]",
        "",
        *(f"  {command.name:<{width}}  {command.doc}" for command in COMMANDS.values()),
        "",
        "`mlbuild help COMMAND` shows a command's flags.",
    ]


def of_command(command: Command) -> list[str]:
    lines = [f"usage: mlbuild {command.usage}", "", command.doc]
    if command.flags:
        lines += ["", "flags (`-` and `_` are the same; a boolean `--x` is undone by `--nox`):"]
    for flag in command.flags:
        lines += [f"  {spelling(flag)}", *_wrapped(flag.doc)]
    return lines


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 92, initial_indent="      ", subsequent_indent="      ")


def spelling(flag: Flag) -> str:
    """As the help and the reference page show it: `--jobs=N`, `--[no]keep_going, -k (default: no)`."""
    name = f"--[no]{flag.name}" if flag.kind == "bool" else f"--{flag.name}={flag.value_name}"
    short = f", -{flag.short}" if flag.short else ""
    choices = f" ({'|'.join(flag.choices)})" if flag.choices else ""
    again = " (may be repeated)" if flag.kind == "list" else ""
    default = f" (default: {flag.default})" if flag.default else ""
    return f"{name}{short}{choices}{again}{default}"
