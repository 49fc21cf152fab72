"""What the user asked for, as frozen values: from argv, rc files and the environment, each read once.

The only room that looks at the environment, which enters as a mapping. Knows no phase.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlbuild.diagnostics import ExitCode, UserError, did_you_mean, fail
from mlbuild.flags import COMMANDS, Command, Parsed, parse

WORKSPACE_FILE = "WORKSPACE.ml"
RC_FILE = ".mlbuildrc"
MAX_IMPORTS = 32


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One command in one workspace. `words` are its patterns, or what the command takes instead; `rest` follows `--`."""

    command: str
    words: tuple[str, ...]
    rest: tuple[str, ...]
    workspace: Path
    working_folder: Path
    package: str
    """The folder that the person stands in, from the workspace's root."""
    cache_folder: Path
    state_folder: Path
    rules_folder: Path
    environ: Mapping[str, str]
    jobs: int
    cpus: int
    memory_mib: int
    keep_going: bool
    defines: Mapping[str, str]
    sandbox_debug: bool
    block_for_lock: bool
    cache_test_results: bool
    color: str
    curses: str
    show_progress: bool
    verbose_failures: bool
    subcommands: bool
    test_output: str
    build_event_json_file: str
    profile: str


def build_request(argv: tuple[str, ...], environ: Mapping[str, str], cwd: Path) -> BuildRequest:
    """The request of a command that works in a workspace.

    Raises UserError: an unknown command or flag, no workspace, an rc file that cannot be understood.
    """
    command = find_command(argv)
    workspace = find_workspace(cwd)
    parsed = _with_rc_lines(command, argv[1:], workspace, environ)
    values, lists = parsed.values, parsed.lists
    cache = _cache_folder(values.get("disk_cache", ""), environ, cwd)
    processors = len(os.sched_getaffinity(0))
    cpus = int(values.get("local_cpu_resources") or processors)
    return BuildRequest(
        command=command.name,
        words=parsed.words,
        rest=parsed.rest,
        workspace=workspace,
        working_folder=cwd,
        package="" if cwd == workspace else str(cwd.relative_to(workspace)),
        cache_folder=cache,
        state_folder=cache / "state" / hashlib.sha256(os.fsencode(workspace)).hexdigest()[:32],
        rules_folder=rules_folder(),
        environ=dict(environ),
        jobs=int(values.get("jobs") or processors),
        cpus=cpus,
        memory_mib=int(values.get("local_ram_resources") or _memory_mib() * 2 // 3),
        keep_going=_is_set(values, "keep_going"),
        defines=dict(pair.split("=", 1) for pair in lists.get("define", ())),
        sandbox_debug=_is_set(values, "sandbox_debug"),
        block_for_lock=values.get("block_for_lock", "yes") == "yes",
        cache_test_results=values.get("cache_test_results", "yes") == "yes",
        color=values.get("color", "auto"),
        curses=values.get("curses", "auto"),
        show_progress=values.get("show_progress", "yes") == "yes",
        verbose_failures=_is_set(values, "verbose_failures"),
        subcommands=_is_set(values, "subcommands"),
        test_output=values.get("test_output", "errors"),
        build_event_json_file=_from(cwd, values.get("build_event_json_file", "")),
        profile=_from(cwd, values.get("profile", "")),
    )


def find_command(argv: tuple[str, ...]) -> Command:
    """The command that argv names. Raises UserError (exit code 2)."""
    name = argv[0] if argv else "help"
    if name in COMMANDS:
        return COMMANDS[name]
    close = did_you_mean(name, COMMANDS)
    hint = f"did you mean `mlbuild {close}`?" if close else "`mlbuild help` lists the commands"
    raise fail("unknown-command", f"mlbuild has no command `{name}`", hint=hint, exit_code=ExitCode.COMMAND_LINE)


def find_workspace(cwd: Path) -> Path:
    """The nearest folder upwards that holds WORKSPACE.ml. Raises UserError (exit code 2)."""
    for folder in (cwd, *cwd.parents):
        if (folder / WORKSPACE_FILE).is_file():
            return folder
    raise fail(
        "no-workspace",
        f"neither this folder nor any above it holds a file `{WORKSPACE_FILE}`: {cwd}",
        hint=f'go to a workspace, or make this folder one: write `workspace(name = "NAME")` into `{WORKSPACE_FILE}`',
        exit_code=ExitCode.COMMAND_LINE,
    )


def rules_folder() -> Path:
    """The rules that came with mlbuild: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "_workspace" / "rules"
    return inside if inside.is_dir() else package.parent / "rules"


def _with_rc_lines(command: Command, arguments: tuple[str, ...], workspace: Path, environ: Mapping[str, str]) -> Parsed:
    """Flags of the rc files, then those of the lines that `--config` names, then those of the command line."""
    lines = list(_rc_lines(workspace, environ))
    accepted = ("common", *((command.inherits,) if command.inherits else ()), command.name)
    given = parse(command, arguments)
    before = [(words, origin) for section, words, origin in lines if section in accepted]
    names = list(given.lists.get("config", ()))
    for words, origin in before:
        names = [*_parsed_line(command, words, origin).lists.get("config", ()), *names]
    chosen: list[tuple[tuple[str, ...], str]] = []
    seen: set[str] = set()
    while names:
        name = names.pop(0)
        if name in seen:
            continue
        seen.add(name)
        found = [
            (words, origin) for section, words, origin in lines if section in {f"{each}:{name}" for each in accepted}
        ]
        if not found:
            known = sorted({section.partition(":")[2] for section, _, _ in lines if ":" in section})
            close = did_you_mean(name, known)
            raise fail(
                "unknown-config",
                f"no rc file has a line `{command.name}:{name}`",
                hint=f"did you mean `--config={close}`?" if close else f"write one into `{RC_FILE}`",
                exit_code=ExitCode.COMMAND_LINE,
            )
        chosen += found
        names += [
            more for words, origin in found for more in _parsed_line(command, words, origin).lists.get("config", ())
        ]
    values: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    for words, origin in (*before, *chosen):
        line = _parsed_line(command, words, origin)
        if line.words:
            raise fail("rc-file", f"{origin}: `{line.words[0]}` is no flag", exit_code=ExitCode.COMMAND_LINE)
        values.update(line.values)
        for name, found_values in line.lists.items():
            lists[name] = (*lists.get(name, ()), *found_values)
    for name, found_values in given.lists.items():
        lists[name] = (*lists.get(name, ()), *found_values)
    return Parsed({**values, **given.values}, lists, given.words, given.rest)


def _parsed_line(command: Command, words: tuple[str, ...], origin: str) -> Parsed:
    """An rc line's flags: those that only another command of the line's section has are passed over."""
    everywhere = {flag.name for each in COMMANDS.values() for flag in each.flags}
    own = {flag.name for flag in command.flags}
    kept: list[str] = []
    for word in words:
        name = word.partition("=")[0].removeprefix("--").replace("-", "_")
        plain = name if name in everywhere else name.removeprefix("no").removeprefix("_")
        if word.startswith("--") and plain in everywhere and plain not in own:
            continue
        kept.append(word)
    return parse(command, tuple(kept), origin)


def _rc_lines(workspace: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """(section, words, place) of every rc line: the home's file first, so that the workspace's wins."""
    home = environ.get("HOME", "")
    places = [Path(home) / RC_FILE] if home else []
    places.append(workspace / RC_FILE)
    for place in dict.fromkeys(places):
        if place.is_file():
            yield from _lines_of(place, workspace, (place,))


def _lines_of(place: Path, workspace: Path, above: tuple[Path, ...]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail("rc-file", f"`{place}` cannot be read: {error}", exit_code=ExitCode.COMMAND_LINE) from None
    for number, line in _logical_lines(text):
        origin = f"{place}:{number}"
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise fail(
                "rc-file", f"{origin}: {str(error).lower()}", hint="close the quotes", exit_code=ExitCode.COMMAND_LINE
            ) from None
        if not words:
            continue
        if words[0] in ("import", "try-import"):
            yield from _imported(words, workspace, above, origin)
        else:
            _check_section(words[0], origin)
            yield words[0], tuple(words[1:]), origin


def _imported(
    words: list[str], workspace: Path, above: tuple[Path, ...], origin: str
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    if len(words) != 2:
        raise fail("rc-file", f"{origin}: {words[0]} takes one path", exit_code=ExitCode.COMMAND_LINE)
    place = Path(words[1].replace("%workspace%", str(workspace)))
    if not place.is_file():
        if words[0] == "try-import":
            return
        raise fail("rc-file", f"{origin}: `{place}` does not exist", hint="write try-import if it may be absent",
                   exit_code=ExitCode.COMMAND_LINE)  # fmt: skip
    if place in above or len(above) > MAX_IMPORTS:
        raise fail("rc-file", f"{origin}: `{place}` imports itself", exit_code=ExitCode.COMMAND_LINE)
    yield from _lines_of(place, workspace, (*above, place))


def _check_section(section: str, origin: str) -> None:
    name = section.partition(":")[0]
    if name == "common" or name in COMMANDS:
        return
    close = did_you_mean(name, ["common", *COMMANDS])
    raise fail(
        "rc-file",
        f"{origin}: a line begins with a command, and `{name}` is none",
        hint=f"did you mean `{close}`?" if close else None,
        exit_code=ExitCode.COMMAND_LINE,
    )


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; a backslash at the end joins the next."""
    waiting, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first or number
        if line.endswith("\\"):
            waiting += line[:-1] + " "
            continue
        yield first, waiting + line
        waiting, first = "", 0
    if waiting:
        yield first, waiting


def _cache_folder(named: str, environ: Mapping[str, str], cwd: Path) -> Path:
    if named:
        return Path(_from(cwd, named.replace("~", environ.get("HOME", "~"), 1) if named.startswith("~/") else named))
    shared = environ.get("XDG_CACHE_HOME", "")
    if shared.startswith("/"):
        return Path(shared) / "mlbuild"
    home = environ.get("HOME", "")
    if home.startswith("/"):
        return Path(home) / ".cache" / "mlbuild"
    raise fail(
        "no-home",
        "there is no place for the cache: neither HOME nor XDG_CACHE_HOME is set",
        hint="set one of them, or name a folder with `--disk_cache`",
        exit_code=ExitCode.ENVIRONMENT,
    )


def _from(cwd: Path, path: str) -> str:
    return os.path.normpath(cwd / path) if path else ""


def _is_set(values: Mapping[str, str], name: str) -> bool:
    return values.get(name, "no") == "yes"


def _memory_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20


__all__ = ["BuildRequest", "UserError", "build_request", "find_command", "find_workspace", "rules_folder"]
