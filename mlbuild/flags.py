"""The flags of every command, in one table: it parses, it is the help, and the reference page is made from it."""

from __future__ import annotations

from collections.abc import Mapping

from mlbuild.diagnostics import ExitCode, UserError, did_you_mean, fail
from mlbuild.records import record


@record
class Flag:
    """One flag. `kind` is `bool`, `int`, `size`, `text`, `path` or `list` (may be given more than once)."""

    name: str
    kind: str
    default: str
    doc: str
    value_name: str = ""
    choices: tuple[str, ...] = ()
    short: str = ""


@record
class Command:
    """One command. `inherits` names the command whose rc lines hold for it too."""

    name: str
    usage: str
    doc: str
    flags: tuple[Flag, ...] = ()
    inherits: str = ""
    works_anywhere: bool = False
    """It needs no workspace."""


TERMINAL = (
    Flag("color", "text", "auto", "Whether to use colour: auto means if stderr is a terminal.", "WHEN", ("auto", "yes", "no")),
    Flag("config", "list", "", "Puts the flags of the rc files' lines `COMMAND:NAME` here.", "NAME"),
    Flag("announce_rc", "bool", "no", "Shows the lines of the rc files that hold for this command."),
)  # fmt: skip

PLACES = (
    Flag("disk_cache", "path", "", "The cache folder; by default `mlbuild` in the user's cache folder.", "FOLDER"),
)

LIMITS = (
    Flag("disk_cache_max_size", "size", "", "How big the cache folder may get: after a build, what has not been used for longest goes.", "SIZE"),
)  # fmt: skip

REMOTE = (
    Flag("remote_cache", "text", "", "A cache that others share: grpcs://HOST:PORT, grpc://, https://, http:// or unix:/SOCKET.", "ADDRESS"),
    Flag("remote_instance_name", "text", "", "The part of the remote cache that is used.", "NAME"),
    Flag("remote_header", "list", "", "A header that every request to the remote cache carries.", "NAME=VALUE"),
    Flag("credential_helper", "path", "", "A program that gives headers for the remote cache, with Bazel's protocol.", "PROGRAM"),
    Flag("tls_certificate", "path", "", "The certificate authority that the remote cache is verified by, instead of the system's.", "FILE"),
    Flag("tls_client_certificate", "path", "", "The certificate that is shown to the remote cache.", "FILE"),
    Flag("tls_client_key", "path", "", "The key of `--tls_client_certificate`.", "FILE"),
    Flag("remote_timeout", "int", "60", "How many seconds a call to the remote cache may take, beside the time that its bytes need.", "SECONDS"),
    Flag("remote_retries", "int", "5", "How often a call that failed is tried again.", "N"),
    Flag("remote_max_connections", "int", "8", "How many requests may be under way at once.", "N"),
    Flag("remote_accept_cached", "bool", "yes", "Whether results of the remote cache are used."),
    Flag("remote_download_outputs", "text", "all", "What is downloaded of remote results: all of it; what was asked for and what actions need (toplevel); or what actions need alone (minimal).", "WHICH", ("all", "toplevel", "minimal")),
    Flag("remote_upload_local_results", "bool", "yes", "Whether results are given to the remote cache."),
)  # fmt: skip

LOCKED = (
    Flag(
        "block_for_lock", "bool", "yes", "Whether to wait for another command in this workspace, or to end with code 9."
    ),
)

WORK = (
    Flag("jobs", "int", "", "How many actions may be worked on at once; by default the number of processors.", "N", short="j"),
    Flag("local_cpu_resources", "int", "", "How many processors actions may use in all; by default those there are.", "N"),
    Flag("local_ram_resources", "int", "", "How much memory actions may claim in all, in MiB; by default two thirds.", "MIB"),
    Flag("keep_going", "bool", "no", "Goes on after a failure with all that does not need it.", short="k"),
    Flag("define", "list", "", "A value for `select` (config_setting) and for `$(NAME)` in commands.", "NAME=VALUE"),
    Flag("sandbox_debug", "bool", "no", "Keeps the folders of finished sandboxes and says where they are."),
    Flag("sandbox", "text", "full", "What actions run in: a sandbox, or nothing runs (full); or none: nothing is promised of the results, and they are not shared.", "WHICH", ("full", "none")),
    Flag("sandbox_limits", "text", "auto", "Who keeps actions within their memory and number of processes: the kernel by control groups, or else mlbuild by watching (auto); only the kernel, and nothing runs without it; only mlbuild (watch); or nobody (no).", "WHO", ("auto", "kernel", "watch", "no")),
    Flag("verbose_failures", "bool", "no", "Shows the whole command of an action that failed."),
    Flag("explain", "bool", "no", "Says of every action that runs why its result could not be taken from the cache."),
    Flag("subcommands", "bool", "no", "Shows the command of every action that runs.", short="s"),
    Flag("show_progress", "bool", "yes", "Shows what runs."),
    Flag("show_result", "int", "10", "Of how many targets the outputs are listed after a build; reports and failures always are.", "N"),
    Flag("curses", "text", "auto", "Whether to redraw the progress in place: auto means if stderr is a terminal.", "WHEN", ("auto", "yes", "no")),
    Flag("build_event_json_file", "path", "", "Writes the build event protocol to a file, one JSON event a line.", "FILE"),
    Flag("profile", "path", "", "Writes a Chrome trace of the actions to a file.", "FILE"),
)  # fmt: skip

BUILD_LOCALLY = (
    *TERMINAL,
    *PLACES,
    *LIMITS,
    *LOCKED,
    *(flag for flag in WORK if flag.name not in ("sandbox", "explain")),
)

BUILD = (*TERMINAL, *PLACES, *LIMITS, *LOCKED, *REMOTE, *WORK)

TEST = (
    *BUILD,
    Flag("cache_test_results", "bool", "yes", "Whether a test that has passed is not run again while nothing changes."),
    Flag("test_output", "text", "errors", "Whose logs are shown: none (summary), failed tests' (errors) or all.", "WHICH", ("summary", "errors", "all")),
)  # fmt: skip

QUERY = (
    *TERMINAL,
    *PLACES,
    Flag("output", "text", "label", "What is shown of each target, or of the graph; the page of the query language tells the formats.", "FORMAT", ("label", "label_kind", "build", "location", "package", "minrank", "maxrank", "graph", "jsonproto", "streamed_jsonproto")),
    Flag("order_output", "text", "auto", "The order: as found (no), by name (auto), or each before what it depends on (deps, full).", "ORDER", ("no", "auto", "deps", "full")),
    Flag("implicit_deps", "bool", "yes", "Whether what a rule depends on by itself counts too, or only what BUILD files say."),
    Flag("tool_deps", "bool", "yes", "Whether tools (attributes with `cfg = \"exec\"`) count as dependencies."),
    Flag("universe_scope", "list", "", "The patterns, with commas between them, that `allrdeps` looks at.", "PATTERNS"),
    Flag("query_file", "path", "", "Reads the expression from a file.", "FILE"),
    Flag("keep_going", "bool", "no", "Answers as far as can be loaded, says what is wrong with the rest, and ends with code 3.", short="k"),
    Flag("graph:factored", "bool", "yes", "Draws targets with the same neighbours as one node of the graph."),
    Flag("graph:node_limit", "int", "512", "How long the text of a node of the graph may get; -1: as long as it is.", "N"),
)  # fmt: skip

REPORT = Flag("output", "text", "text", "How the report is written.", "FORMAT", ("text", "json"))

WHY = (
    *TERMINAL,
    *PLACES,
    Flag("build", "text", "", "Asks about this build, by the beginning of its id; by default about the last that ran an action of the target, or of what it needs.", "ID"),
    Flag("against", "text", "", "Compares with this build; by default each action with the last build before that had it.", "ID"),
    REPORT,
)  # fmt: skip

VERIFY = (
    *BUILD_LOCALLY,
    Flag("vary", "list", "", "What is unlike in the two runs of an action, with commas between; by default all that this machine can vary.", "NAMES"),
    Flag("against", "text", "", "Compares what was made with this remembered build too, by the beginning of its id.", "ID"),
    REPORT,
)  # fmt: skip

SELFTEST = (
    *TERMINAL,
    Flag("long", "bool", "no", "Runs the long campaigns: hours, rather than minutes."),
    Flag("only", "list", "", "Runs one campaign alone.", "NAME"),
    Flag("seed", "int", "1", "The number of the first trial: a violation's number shows it again.", "N"),
    Flag("count", "int", "", "How many trials of each campaign, instead of as many as are usual.", "N"),
    Flag("minutes", "int", "", "How long each campaign may take, instead of as long as is usual.", "N"),
    Flag("jobs", "int", "", "How many trials at once; by default the number of processors.", "N", short="j"),
)  # fmt: skip

_LEAST = {"show_result": 0, "seed": 0, "remote_retries": 0, "graph:node_limit": -1}

FORMAT = (
    *TERMINAL,
    Flag("mode", "text", "fix", "Writes the files anew; or tells which are not formatted, shows how they differ, or prints them.", "MODE", ("fix", "check", "diff", "print_if_changed")),
    Flag("type", "text", "auto", "What the files are; auto means by their names.", "KIND", ("auto", "build", "bzl", "workspace")),
    Flag("path", "text", "", "The file that comes in by `-`: its name tells its kind, and is shown in messages.", "FILE"),
)  # fmt: skip

_UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}

COMMANDS: Mapping[str, Command] = {
    command.name: command
    for command in (
        Command("build", "build [FLAGS] PATTERN…", "Builds what the patterns name and puts the outputs under `mlbuild-out/`.", BUILD),
        Command("test", "test [FLAGS] PATTERN…", "Builds, then runs the targets among them that are tests.", TEST, "build"),
        Command("run", "run [FLAGS] TARGET [-- ARGS…]", "Builds a target and runs it, attached to this terminal.", BUILD, "build"),
        Command("shell", "shell [FLAGS] TARGET [-- ARGS…]", "Builds an environment or a program and starts its interpreter, with the same packages and variables as `run`.", BUILD, "build"),
        Command("env", "env diff|kernel|link|oci|sbom [FLAGS] ENVIRONMENT…", "Compares two environments (diff), makes a folder of one that editors know as a virtual environment (link ENVIRONMENT [FOLDER]; default: `.venv`), a Jupyter kernel (kernel) or an OCI image layout (oci ENVIRONMENT [FOLDER]), or lists what is in it as CycloneDX (sbom).", (*BUILD, REPORT), "build"),
        Command("query", "query [FLAGS] EXPRESSION", "Answers a question about the targets of BUILD files, in Bazel's query language.", QUERY),
        Command("log", "log [FLAGS] [BUILD]", "Lists the builds of this workspace that are remembered, newest last; or the actions of one that did not come from the cache.", (*TERMINAL, *PLACES)),
        Command("why", "why [FLAGS] TARGET", "Says why the actions of a target ran, or did not, in a build that is remembered.", WHY),
        Command("diff", "diff [FLAGS] BUILD BUILD", "Says how two remembered builds are unlike: sources, what BUILD files say, outputs.", (*TERMINAL, *PLACES, REPORT)),
        Command("verify", "verify [FLAGS] PATTERN…", "Runs every action of what the patterns name twice, in unlike surroundings and without the cache; says what differs, and why.", VERIFY, "build"),
        Command("lock", "lock [FLAGS] [PATTERN…]", "Resolves environments' requirements into locks with hashes (default: `//...`).", (*TERMINAL, *PLACES, *LOCKED), "build"),
        Command("clean", "clean [FLAGS]", "Removes `mlbuild-out/`; the cache stays. Never needed for a right build.", (*TERMINAL, *PLACES, *LOCKED)),
        Command("cache", "cache status|verify|repair|gc [FLAGS]", "Says what the cache holds, checks it, repairs it, or makes it smaller.", (*TERMINAL, *PLACES, *LIMITS), "build", works_anywhere=True),
        Command("fmt", "fmt [FLAGS] [PATH…|PATTERN…|-]", "Formats BUILD files, workspace files and modules as buildifier does (default: all of the workspace).", FORMAT, works_anywhere=True),
        Command("info", "info [NAME]", "Says where things are.", (*TERMINAL, *PLACES)),
        Command("doctor", "doctor", "Says what this machine can and cannot promise.", (*TERMINAL, *PLACES), works_anywhere=True),
        Command("selftest", "selftest [FLAGS]", "Tries mlbuild itself against faults on this machine: random builds, kills, damage, refusals; prints a figure for each.", SELFTEST, works_anywhere=True),
        Command("lsp", "lsp", "Serves an editor: mistakes, completion and documentation while files are written. Speaks the Language Server Protocol at standard input and output.", (*TERMINAL, *PLACES), works_anywhere=True),
        Command("help", "help [COMMAND]", "Shows the commands, or one command's flags.", works_anywhere=True),
        Command("version", "version", "Shows the version.", works_anywhere=True),
    )
}  # fmt: skip


@record
class Parsed:
    """Flags with their values (booleans as yes and no) in the order given, what is no flag, and what follows `--`."""

    flags: tuple[tuple[Flag, str], ...]
    words: tuple[str, ...]
    rest: tuple[str, ...] = ()


def parse(command: str, flags: tuple[Flag, ...], arguments: tuple[str, ...], origin: str = "") -> Parsed:
    """Reads arguments by a table of flags. `command` and `origin` (the place of an rc line) are for messages.

    Raises UserError (exit code 2).
    """
    by_name = {flag.name: flag for flag in flags}
    by_short = {flag.short: flag for flag in flags if flag.short}
    found: list[tuple[Flag, str]] = []
    words: list[str] = []
    waiting = list(reversed(arguments))
    while waiting:
        argument = waiting.pop()
        if argument == "--":
            return Parsed(tuple(found), tuple(words), tuple(reversed(waiting)))
        if not argument.startswith("-") or argument == "-" or argument.startswith(("-//", "-:", "-@")):
            words.append(argument)
            continue
        flag, value = _match(argument, by_name, by_short, command, origin)
        if value is None:
            if not waiting:
                example = f"--{flag.name}={flag.value_name or 'VALUE'}"
                raise error(f"`{argument}` needs a value", origin, f"write `{example}`")
            value = waiting.pop()
        _check(flag, value, argument, origin)
        found.append((flag, value))
    return Parsed(tuple(found), tuple(words))


def _match(
    argument: str, by_name: Mapping[str, Flag], by_short: Mapping[str, Flag], command: str, origin: str
) -> tuple[Flag, str | None]:
    """The flag that an argument means, and its value if the argument has it."""
    written, equals, value = argument.partition("=")
    name = written.removeprefix("--").replace("-", "_")
    if not argument.startswith("--"):
        if (short := by_short.get(argument.removeprefix("-"))) is not None:
            return short, "yes" if short.kind == "bool" else None
        raise _unknown(argument, command, by_name, origin)
    if (flag := by_name.get(name)) is not None:
        if flag.kind == "bool":
            return flag, _boolean(value, argument, origin) if equals else "yes"
        return flag, value if equals else None
    negated = by_name.get(name.removeprefix("no")) or by_name.get(name.removeprefix("no_"))
    if name.startswith("no") and negated is not None and negated.kind == "bool" and not equals:
        return negated, "no"
    raise _unknown(written, command, by_name, origin)


def _boolean(value: str, argument: str, origin: str) -> str:
    if value.lower() in ("yes", "true", "1"):
        return "yes"
    if value.lower() in ("no", "false", "0"):
        return "no"
    raise error(f"`{argument}`: `{value}` is neither yes nor no", origin, "write yes, no, true, false, 1 or 0")


def _check(flag: Flag, value: str, argument: str, origin: str) -> None:
    if flag.kind == "int":
        least = _LEAST.get(flag.name, 1)
        digits = value.removeprefix("-") if least < 0 else value
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and int(value) >= least):
            raise error(f"`{argument}`: `{value}` is not a number from {least}", origin)
    if flag.kind == "size" and size_of(value) is None:
        hint = f"write a number with K, M, G or T behind it: `--{flag.name}=20G`"
        raise error(f"`{argument}`: `{value}` is not a size", origin, hint)
    if flag.choices and value not in flag.choices:
        raise error(f"`{argument}`: `{value}` is none of {', '.join(flag.choices)}", origin)
    if flag.kind in ("path", "list") and not value:
        raise error(f"`{argument}` needs a value", origin, f"write `--{flag.name}={flag.value_name}`")
    if flag.name == "define" and "=" not in value[1:]:
        raise error(f"`{argument}`: `{value}` is not of the form NAME=VALUE", origin, "write `--define=NAME=VALUE`")


def size_of(text: str) -> int | None:
    """The bytes that a size means: a number, and K, M, G or T for powers of 1024. Nothing if it is no size."""
    number, unit = (text[:-1], text[-1:].upper()) if text[-1:].upper() in _UNITS else (text, "")
    if not (number.isascii() and number.isdigit() and len(number) < 16 and int(number) > 0):
        return None
    return int(number) << _UNITS.get(unit, 0)


def _unknown(written: str, command: str, by_name: Mapping[str, Flag], origin: str) -> UserError:
    close = did_you_mean(written.lstrip("-").replace("-", "_"), by_name)
    hint = f"did you mean `--{close}`?" if close else f"`mlbuild help {command}` lists the flags"
    return error(f"`{command}` has no flag `{written}`", origin, hint)


def error(message: str, origin: str, hint: str | None = None) -> UserError:
    """What is wrong with a command line or (`origin` is its place) an rc line."""
    where = f"{origin}: " if origin else ""
    return fail("command-line", where + message, hint=hint, exit_code=ExitCode.COMMAND_LINE)
