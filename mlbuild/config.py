"""What the user asked for, as frozen values: from argv, rc files and the environment, each read once.

The only room that looks at the environment, which enters as a mapping. Knows no phase.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mlbuild.diagnostics import ExitCode, did_you_mean, fail
from mlbuild.files.sharing import PARTS, make_private_part
from mlbuild.flags import COMMANDS, REMOTE, Command, Flag, error, parse, size_of
from mlbuild.records import field, record

WORKSPACE_FILE = "WORKSPACE.ml"
RC_FILE = ".mlbuildrc"
MAX_IMPORTS = 32


@record
class RcLine:
    """`section words`, and the place it stands in (`path:line`)."""

    section: str
    words: tuple[str, ...]
    origin: str


@record
class SelftestRequest:
    """Which campaigns (all, if none is named), whether the long ones, with how many trials and minutes each, from which number on."""

    only: tuple[str, ...]
    is_long: bool
    count: int | None
    minutes: int | None
    seed: int | None


@record
class QuestionRequest:
    """How a question is to be answered."""

    output: str
    order_output: str
    implicit_deps: bool
    tool_deps: bool
    universe_scope: tuple[str, ...]
    query_file: str
    graph_factored: bool
    graph_limit: int


@record
class PastRequest:
    """The build that is asked about, and the one that it is compared with, by id; empty: the obvious ones."""

    build: str
    against: str


@record
class VerifyRequest:
    """What is unlike in two runs of an action (all that can be, if nothing is named), and how the report is written."""

    vary: tuple[str, ...]
    output: str


@record
class FormatRequest:
    """What `mlbuild fmt` does with files, of which kind they are, and the path of what comes in by stdin."""

    mode: str
    type: str
    path: str


@record
class RemoteRequest:
    """What the flags about a remote cache say, by name, and the headers as they were written."""

    values: Mapping[str, str]
    headers: tuple[str, ...] = field(repr=False)


@record
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
    read_only_cache: Path | None
    """The one that was named, where it may not be written, perhaps not read either: then `cache_folder` is another."""
    private_folder: Path
    """Where in the cache folder that is which no other user may touch, also where a group shares the rest."""
    cache_limit: int | None
    """The bytes that the cache folder may hold, if that was said (`--disk_cache_max_size`)."""
    state_folder: Path
    rules_folder: Path
    environ: Mapping[str, str]
    jobs: int
    cpus: int
    memory_mib: int
    keep_going: bool
    defines: Mapping[str, str]
    sandbox_debug: bool
    sandbox: str
    sandbox_limits: str
    block_for_lock: bool
    cache_test_results: bool
    color: str
    curses: str
    show_progress: bool
    show_result: int
    verbose_failures: bool
    subcommands: bool
    explain: bool
    test_output: str
    build_event_json_file: str
    profile: str
    rc_lines: tuple[str, ...]
    """What is to be shown of the rc files (`--announce_rc`)."""
    remote: RemoteRequest | None
    """Nothing where no remote cache is asked for."""
    selftest: SelftestRequest
    question: QuestionRequest
    formatting: FormatRequest
    past: PastRequest
    verifying: VerifyRequest


def build_request(argv: tuple[str, ...], environ: Mapping[str, str], cwd: Path) -> BuildRequest:
    """The request of a command, in the workspace that `cwd` is in (`cwd` itself, for a command that needs none).

    Raises UserError: an unknown command or flag, no workspace, an rc file that cannot be understood.
    """
    command = find_command(argv)
    workspace = find_workspace(cwd, may_lack=command.works_anywhere)
    lines = tuple(_rc_lines(workspace, environ))
    given = parse(command.name, command.flags, argv[1:])
    flags = (*_rc_flags(command, lines), *_expanded(command, given.flags, lines, ()))
    values = {flag.name: value for flag, value in flags if flag.kind != "list"}

    def path(name: str) -> str:
        return _path(values[name], environ, workspace, cwd) if name in values else ""

    cache, read_only = cache_folders(environ, path("disk_cache"))
    private = make_private_part(cache)
    processors = len(os.sched_getaffinity(0))
    return BuildRequest(
        command=command.name,
        words=given.words,
        rest=given.rest,
        workspace=workspace,
        working_folder=cwd,
        package="" if cwd == workspace else str(cwd.relative_to(workspace)),
        cache_folder=cache,
        read_only_cache=read_only,
        private_folder=private,
        cache_limit=size_of(values["disk_cache_max_size"]) if "disk_cache_max_size" in values else None,
        state_folder=private / "state" / hashlib.sha256(os.fsencode(workspace)).hexdigest()[:32],
        rules_folder=rules_folder(),
        environ=dict(environ),
        jobs=int(values.get("jobs") or processors),
        cpus=int(values.get("local_cpu_resources") or processors),
        memory_mib=int(values.get("local_ram_resources") or _memory_mib() * 2 // 3),
        keep_going=_is_set(values, "keep_going"),
        defines=dict(value.split("=", 1) for flag, value in flags if flag.name == "define"),
        sandbox_debug=_is_set(values, "sandbox_debug"),
        sandbox=values.get("sandbox", "full"),
        sandbox_limits=values.get("sandbox_limits", "auto"),
        block_for_lock=_is_set(values, "block_for_lock", "yes"),
        cache_test_results=_is_set(values, "cache_test_results", "yes"),
        color=values.get("color", "auto"),
        curses=values.get("curses", "auto"),
        show_progress=_is_set(values, "show_progress", "yes"),
        show_result=int(values.get("show_result", "10")),
        verbose_failures=_is_set(values, "verbose_failures"),
        subcommands=_is_set(values, "subcommands"),
        explain=_is_set(values, "explain"),
        test_output=values.get("test_output", "errors"),
        build_event_json_file=path("build_event_json_file"),
        profile=path("profile"),
        rc_lines=tuple(_announced(command, flags, lines)) if _is_set(values, "announce_rc") else (),
        remote=_remote(values, flags, path) if values.get("remote_cache") else None,
        selftest=SelftestRequest(
            only=tuple(value for flag, value in flags if flag.name == "only"),
            is_long=_is_set(values, "long"),
            count=int(values["count"]) if "count" in values else None,
            minutes=int(values["minutes"]) if "minutes" in values else None,
            seed=int(values["seed"]) if "seed" in values else None,
        ),
        question=QuestionRequest(
            output=values.get("output", "label"),
            order_output=values.get("order_output", "auto"),
            implicit_deps=_is_set(values, "implicit_deps", "yes"),
            tool_deps=_is_set(values, "tool_deps", "yes"),
            universe_scope=tuple(
                pattern
                for flag, value in flags
                if flag.name == "universe_scope"
                for pattern in value.split(",")
                if pattern
            ),
            query_file=path("query_file"),
            graph_factored=_is_set(values, "graph:factored", "yes"),
            graph_limit=int(values.get("graph:node_limit", "512")),
        ),
        formatting=FormatRequest(
            mode=values.get("mode", "fix"), type=values.get("type", "auto"), path=values.get("path", "")
        ),
        verifying=VerifyRequest(
            vary=tuple(
                name.strip()
                for flag, value in flags
                if flag.name == "vary"
                for name in value.split(",")
                if name.strip()
            ),
            output=values.get("output", "text"),
        ),
        past=PastRequest(build=values.get("build", ""), against=values.get("against", "")),
    )


def _remote(
    values: Mapping[str, str], flags: tuple[tuple[Flag, str], ...], path: Callable[[str], str]
) -> RemoteRequest:
    own = {flag.name: values[flag.name] for flag in REMOTE if flag.name in values}
    own |= {flag.name: path(flag.name) for flag in REMOTE if flag.kind == "path" and flag.name in values}
    return RemoteRequest(own, tuple(value for flag, value in flags if flag.name == "remote_header"))


def find_command(argv: tuple[str, ...]) -> Command:
    """The command that argv names. Raises UserError (exit code 2)."""
    name = argv[0] if argv else "help"
    if name in COMMANDS:
        return COMMANDS[name]
    if name.startswith("-"):
        hint = f"flags follow the command: `mlbuild build {name}`; `mlbuild help` lists the commands"
        raise fail("no-command", f"`{name}` is no command", hint=hint, exit_code=ExitCode.COMMAND_LINE)
    close = did_you_mean(name, COMMANDS)
    hint = f"did you mean `mlbuild {close}`?" if close else "`mlbuild help` lists the commands"
    raise fail("unknown-command", f"mlbuild has no command `{name}`", hint=hint, exit_code=ExitCode.COMMAND_LINE)


def find_workspace(cwd: Path, *, may_lack: bool = False) -> Path:
    """The nearest folder upwards that holds WORKSPACE.ml. Raises UserError (exit code 2)."""
    for folder in (cwd, *cwd.parents):
        if (folder / WORKSPACE_FILE).is_file():
            return folder
    if may_lack:
        return cwd
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


def cache_folders(environ: Mapping[str, str], named: str = "") -> tuple[Path, Path | None]:
    """Where to keep what is made, and the cache that was asked for, if that may not be written.

    Raises UserError when there can be none (exit code 36).
    """
    asked = Path(named) if named else _users_cache(environ)
    if asked is not None and os.path.isdir(asked) and not _is_writable(asked):
        for own in (_users_cache(environ), _temporary_cache()):
            if own is not None and own != asked and _may_be_made(own):
                return own, asked
    return cache_folder(environ, named), None


def _users_cache(environ: Mapping[str, str]) -> Path | None:
    shared, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if shared.startswith("/"):
        return Path(shared) / "mlbuild"
    return Path(home) / ".cache" / "mlbuild" if home.startswith("/") else None


def _temporary_cache() -> Path | None:
    """Always the same, so that builds find each other's locks; only if nobody else made it."""
    folder = Path(f"/tmp/mlbuild-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder if is_ours else None


def _is_writable(folder: Path) -> bool:
    return all(os.access(each, os.W_OK | os.X_OK) for each in _parts(folder))


def _parts(folder: Path, names: tuple[str, ...] = PARTS) -> list[Path]:
    return [folder, *(each for name in names if os.path.isdir(each := folder / name))]


def _may_be_made(folder: Path) -> bool:
    there = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    return os.path.isdir(there) and (_is_writable(there) if there == folder else os.access(there, os.W_OK | os.X_OK))


def cache_folder(environ: Mapping[str, str], named: str = "") -> Path:
    """The user's cache folder, or the one that is named. Raises UserError when there can be none (exit code 36)."""
    folder = Path(named) if named else _users_cache(environ)
    if folder is None:
        raise fail(
            "no-home",
            "there is no place for the cache: neither HOME nor XDG_CACHE_HOME is set",
            hint="set one of them, or name a folder with `--disk_cache`",
            exit_code=ExitCode.ENVIRONMENT,
        )
    there = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        why = "cannot be written to" if there.is_dir() else "is not a folder"
        raise fail(
            "cache-folder",
            f"the cache cannot be kept in `{folder}`: `{there}` {why}",
            hint="name another folder with `--disk_cache`, or with XDG_CACHE_HOME",
            exit_code=ExitCode.ENVIRONMENT,
        )
    return folder


def _sections(command: Command) -> tuple[str, ...]:
    """The rc sections that hold for a command; what a later one says wins."""
    return ("common", *((command.inherits,) if command.inherits else ()), command.name)


def _rc_flags(command: Command, lines: tuple[RcLine, ...]) -> Iterator[tuple[Flag, str]]:
    for section in _sections(command):
        for line in lines:
            if line.section == section:
                yield from _expanded(command, _line_flags(line), lines, ())


def _expanded(
    command: Command, flags: tuple[tuple[Flag, str], ...], lines: tuple[RcLine, ...], above: tuple[str, ...]
) -> Iterator[tuple[Flag, str]]:
    """The flags that the command has, with those of a `--config` in its place."""
    own = {flag.name for flag in command.flags}
    for flag, value in flags:
        if flag.name not in own:
            continue  # a line of `common`, or of the command that this one inherits from
        yield flag, value
        if flag.name != "config":
            continue
        if value in above:
            raise error(f"`--config={value}` names itself", "", "take one of the lines out of the rc files")
        sections = [f"{section}:{value}" for section in _sections(command)]
        named = [line for section in sections for line in lines if line.section == section]
        if not named:
            known = {line.section.partition(":")[2] for line in lines if ":" in line.section}
            close = did_you_mean(value, known)
            raise fail(
                "unknown-config",
                f"no rc file has a line `{command.name}:{value}`",
                hint=f"did you mean `--config={close}`?" if close else f"write one into `{RC_FILE}`",
                exit_code=ExitCode.COMMAND_LINE,
            )
        for line in named:
            yield from _expanded(command, _line_flags(line), lines, (*above, value))


def _line_flags(line: RcLine) -> tuple[tuple[Flag, str], ...]:
    """An rc line, read by the table of the command that it names; `common` may have any command's flags."""
    name = line.section.partition(":")[0]
    every = {flag.name: flag for command in COMMANDS.values() for flag in command.flags}
    table = tuple(every.values()) if name == "common" else COMMANDS[name].flags
    parsed = parse("build" if name == "common" else name, table, line.words, line.origin)
    if parsed.words or parsed.rest:
        raise error(f"`{(*parsed.words, *parsed.rest)[0]}` is no flag", line.origin)
    return parsed.flags


def _announced(command: Command, flags: tuple[tuple[Flag, str], ...], lines: tuple[RcLine, ...]) -> Iterator[str]:
    import re
    import shlex

    secret = re.compile(r"(--remote[-_]header=[^=]*=).*", re.DOTALL)
    configs = {value for flag, value in flags if flag.name == "config"}
    for line in lines:
        section, _, config = line.section.partition(":")
        if section in _sections(command) and (not config or config in configs):
            words = [secret.sub(r"\1…", word) for word in line.words]
            yield f"{line.origin}: {line.section} {shlex.join(words)}"


def _rc_lines(workspace: Path, environ: Mapping[str, str]) -> Iterator[RcLine]:
    """The home's file first, so that the workspace's wins."""
    home = environ.get("HOME", "")
    folders = [Path(home)] if home.startswith("/") else []
    for folder in (*folders, workspace):
        place = folder / RC_FILE
        if place.is_file() and not (folder is workspace and folder in folders):
            yield from _lines_of(place, workspace, environ, (place.resolve(),))


def _lines_of(place: Path, workspace: Path, environ: Mapping[str, str], above: tuple[Path, ...]) -> Iterator[RcLine]:
    import shlex

    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise fail("rc-file", f"`{place}` cannot be read: {why}", exit_code=ExitCode.COMMAND_LINE) from None
    for number, line in _logical_lines(text):
        origin = f"{place}:{number}"
        if "\0" in line:
            raise fail("rc-file", f"{origin}: the line holds a NUL byte", hint="rc files are text in UTF-8",
                       exit_code=ExitCode.COMMAND_LINE)  # fmt: skip
        try:
            words = shlex.split(line, comments=True)
        except ValueError as why:
            raise fail(
                "rc-file", f"{origin}: {str(why).lower()}", hint="close the quotes", exit_code=ExitCode.COMMAND_LINE
            ) from None
        if not words:
            continue
        if words[0] in ("import", "try-import"):
            yield from _imported(words, workspace, environ, above, origin)
        else:
            _check_section(words[0], origin)
            yield RcLine(words[0], tuple(words[1:]), origin)


def _imported(
    words: list[str], workspace: Path, environ: Mapping[str, str], above: tuple[Path, ...], origin: str
) -> Iterator[RcLine]:
    if len(words) != 2:
        raise fail("rc-file", f"{origin}: {words[0]} takes one path", exit_code=ExitCode.COMMAND_LINE)
    place = Path(_path(words[1], environ, workspace, workspace)).resolve()
    if not os.path.isfile(place):
        if words[0] == "try-import":
            return
        raise fail("rc-file", f"{origin}: `{place}` does not exist", hint="write try-import if it may be absent",
                   exit_code=ExitCode.COMMAND_LINE)  # fmt: skip
    if place in above or len(above) > MAX_IMPORTS:
        raise fail("rc-file", f"{origin}: `{place}` imports itself", exit_code=ExitCode.COMMAND_LINE)
    yield from _lines_of(place, workspace, environ, (*above, place))


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
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        first = first or number
        if line.endswith("\\"):
            waiting += line[:-1] + " "
            continue
        yield first, waiting + line
        waiting, first = "", 0
    if waiting:
        yield first, waiting


def _path(written: str, environ: Mapping[str, str], workspace: Path, cwd: Path) -> str:
    """An absolute path; as for Bazel, `~/` and `%workspace%/` may begin it (in an rc file the shell does not help)."""
    home = environ.get("HOME", "")
    if written.startswith("~/") and home:
        written = f"{home}/{written[2:]}"
    return os.path.normpath(cwd / written.replace("%workspace%", str(workspace), 1))


def _is_set(values: Mapping[str, str], name: str, default: str = "no") -> bool:
    return values.get(name, default) == "yes"


def _memory_mib() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
