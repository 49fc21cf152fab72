"""The flags of every command, in one table: it parses, it is the help, and the reference page is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlbuild.diagnostics import ExitCode, UserError, did_you_mean, fail


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `kind` is `bool`, `int`, `text` or `list` (may be given more than once)."""

    name: str
    kind: str
    default: str
    doc: str
    value_name: str = ""
    choices: tuple[str, ...] = ()
    short: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `inherits` names the command whose rc lines hold for it too."""

    name: str
    usage: str
    doc: str
    flags: tuple[Flag, ...] = ()
    inherits: str = ""


TERMINAL = (
    Flag("color", "text", "auto", "Whether to use colour: auto means if stderr is a terminal.", "WHEN", ("auto", "yes", "no")),
    Flag("config", "list", "", "Adds the lines `COMMAND:NAME` of the rc files.", "NAME"),
)  # fmt: skip

PLACES = (
    Flag("disk_cache", "text", "", "The cache folder; by default `mlbuild` in the user's cache folder.", "FOLDER"),
)

LOCKED = (
    Flag(
        "block_for_lock", "bool", "yes", "Whether to wait for another command in this workspace, or to end with code 9."
    ),
)

BUILD = (
    *TERMINAL,
    *PLACES,
    *LOCKED,
    Flag("jobs", "int", "", "How many actions may be worked on at once; by default the number of processors.", "N"),
    Flag("local_cpu_resources", "int", "", "How many processors actions may use in all; by default those there are.", "N"),
    Flag("local_ram_resources", "int", "", "How much memory actions may claim in all, in MiB; by default two thirds.", "MIB"),
    Flag("keep_going", "bool", "no", "Goes on after a failure with all that does not need it.", short="k"),
    Flag("define", "list", "", "A value for `select` (config_setting) and for `$(NAME)` in commands.", "NAME=VALUE"),
    Flag("sandbox_debug", "bool", "no", "Keeps the folders of finished sandboxes and says where they are."),
    Flag("verbose_failures", "bool", "no", "Shows the whole command of an action that failed."),
    Flag("subcommands", "bool", "no", "Shows the command of every action that runs.", short="s"),
    Flag("show_progress", "bool", "yes", "Shows what runs."),
    Flag("curses", "text", "auto", "Whether to redraw the progress in place: auto means if stderr is a terminal.", "WHEN", ("auto", "yes", "no")),
    Flag("build_event_json_file", "text", "", "Writes the build event protocol to a file, one JSON event a line.", "FILE"),
    Flag("profile", "text", "", "Writes a Chrome trace of the actions to a file.", "FILE"),
)  # fmt: skip

TEST = (
    *BUILD,
    Flag("cache_test_results", "bool", "yes", "Whether a test that has passed is not run again while nothing changes."),
    Flag("test_output", "text", "errors", "Whose logs are shown: none (summary), failed tests' (errors) or all.", "WHICH", ("summary", "errors", "all")),
)  # fmt: skip

COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command("build", "build [FLAGS] PATTERN…", "Builds what the patterns name and puts the outputs under `mlbuild-out/`.", BUILD),
        Command("test", "test [FLAGS] PATTERN…", "Builds, then runs the targets among them that are tests.", TEST, "build"),
        Command("run", "run [FLAGS] TARGET [-- ARGS…]", "Builds a target and runs it, attached to this terminal.", BUILD, "build"),
        Command("lock", "lock [FLAGS] [PATTERN…]", "Resolves environments' requirements into locks with hashes (default: `//...`).", (*TERMINAL, *PLACES, *LOCKED), "build"),
        Command("clean", "clean [FLAGS]", "Removes `mlbuild-out/`; the cache stays. Never needed for a right build.", (*TERMINAL, *PLACES, *LOCKED)),
        Command("info", "info [NAME]", "Says where things are.", (*TERMINAL, *PLACES)),
        Command("doctor", "doctor", "Says what this machine can and cannot promise.", (*TERMINAL, *PLACES)),
        Command("help", "help [COMMAND]", "Shows the commands, or one command's flags."),
        Command("version", "version", "Shows the version."),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parsed:
    """Flags by name as text (lists as tuples), what is no flag, and what follows `--`."""

    values: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    words: tuple[str, ...]
    rest: tuple[str, ...] = ()


def parse(command: Command, arguments: tuple[str, ...], origin: str = "") -> Parsed:
    """Reads arguments by the command's table; later ones win. `origin` names an rc line in messages.

    Raises UserError (exit code 2).
    """
    by_name = {flag.name: flag for flag in command.flags}
    by_short = {flag.short: flag for flag in command.flags if flag.short}
    values: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    words: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            return Parsed(values, {name: tuple(found) for name, found in lists.items()}, tuple(words), tuple(waiting))
        if not argument.startswith("-") or argument == "-" or argument.startswith(("-//", "-:")):
            words.append(argument)
            continue
        flag, value = _match(argument, by_name, by_short, command, origin)
        if value is None:
            if not waiting:
                raise _error(f"`{argument}` needs a value", origin, f"write `{argument}={flag.value_name or 'VALUE'}`")
            value = waiting.pop(0)
        _check(flag, value, argument, origin)
        if flag.kind == "list":
            lists.setdefault(flag.name, []).append(value)
        else:
            values[flag.name] = value
    return Parsed(values, {name: tuple(found) for name, found in lists.items()}, tuple(words))


def _match(
    argument: str, by_name: Mapping[str, Flag], by_short: Mapping[str, Flag], command: Command, origin: str
) -> tuple[Flag, str | None]:
    """The flag that an argument means, and its value if the argument has it."""
    written, equals, value = argument.partition("=")
    name = written.removeprefix("--").replace("-", "_")
    if not argument.startswith("--"):
        if (short := by_short.get(argument.removeprefix("-"))) is not None:
            return short, "yes"
        raise _unknown(argument, command, origin)
    if name in by_name:
        flag = by_name[name]
        if flag.kind == "bool":
            return flag, _boolean(value, argument, origin) if equals else "yes"
        return flag, value if equals else None
    negated = by_name.get(name.removeprefix("no")) or by_name.get(name.removeprefix("no_"))
    if name.startswith("no") and negated is not None and negated.kind == "bool" and not equals:
        return negated, "no"
    raise _unknown(written, command, origin)


def _boolean(value: str, argument: str, origin: str) -> str:
    if value.lower() in ("yes", "true", "1"):
        return "yes"
    if value.lower() in ("no", "false", "0"):
        return "no"
    raise _error(f"`{argument}`: `{value}` is neither yes nor no", origin, "write yes, no, true, false, 1 or 0")


def _check(flag: Flag, value: str, argument: str, origin: str) -> None:
    if flag.kind == "int" and not (value.isascii() and value.isdigit() and int(value) > 0):
        raise _error(f"`{argument}`: `{value}` is not a number above 0", origin)
    if flag.choices and value not in flag.choices:
        raise _error(f"`{argument}`: `{value}` is none of {', '.join(flag.choices)}", origin)
    if flag.name == "define" and "=" not in value:
        raise _error(f"`{argument}`: `{value}` has no value", origin, "write `--define=NAME=VALUE`")


def _unknown(written: str, command: Command, origin: str) -> UserError:
    close = did_you_mean(written.lstrip("-").replace("-", "_"), [flag.name for flag in command.flags])
    hint = f"did you mean `--{close}`?" if close else f"`mlbuild help {command.name}` lists the flags"
    return _error(f"`{command.name}` has no flag `{written}`", origin, hint)


def _error(message: str, origin: str, hint: str | None = None) -> UserError:
    where = f"{origin}: " if origin else ""
    return fail("command-line", where + message, hint=hint, exit_code=ExitCode.COMMAND_LINE)
