"""What to say when a user's function fails: which input it missed, and how that would be declared."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from rules.ml.tools.failure import ToolError

NETWORK_EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
COLUMN_PATTERNS = (
    re.compile(r'Field "(?P<name>[^"]+)" does not exist in (?:table )?schema'),
    re.compile(r"No match for FieldRef\.Name\((?P<name>[^)]+)\)"),
    re.compile(r'unable to find column "(?P<name>[^"]+)"'),
    re.compile(r"Column not found: (?P<name>[^\s;]+)"),
)
FILE_PATTERN = re.compile(r"'(?P<name>[^']+)'.*(?:No such file|does not exist|not found)|"
                          r"(?:No such file|does not exist|not found|Cannot open data file)[^']*'?(?P<other>[^'\s]+)'?")  # fmt: skip


class Watch:
    """Notes, while it is entered, files that were opened but do not exist, and attempts to use the network."""

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.network: list[str] = []
        self._is_on = False
        sys.addaudithook(self._hook)

    def __enter__(self) -> Watch:
        self._is_on = True
        return self

    def __exit__(self, *_: object) -> None:
        self._is_on = False

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        # An audit hook cannot be taken out again: it goes quiet instead.
        if not self._is_on:
            return
        if event in ("open", "os.listdir", "os.scandir"):
            path = arguments[0]
            if isinstance(path, (str, bytes, os.PathLike)):
                text = os.fsdecode(path)
                is_reading = event != "open" or not isinstance(arguments[1], str) or "r" in arguments[1]
                if is_reading and not _is_ours(text) and not os.path.lexists(text):
                    self.missing.append(text)
        elif event in NETWORK_EVENTS:
            self.network.append(_address(event, arguments))


def explain(
    error: BaseException,
    watch: Watch,
    path: str,
    label: str,
    attribute: str,
    columns: Mapping[str, Sequence[str]],
) -> ToolError:
    """The failure in words. `columns` are those that each table has, `attribute` is where inputs are declared."""
    where = _user_frames(error, path)
    what = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, SyntaxError):
        return ToolError("syntax-error", f"`{path}` is no Python that this interpreter reads", notes=[what])
    if isinstance(error, ModuleNotFoundError):
        return ToolError(
            "undeclared-module",
            f"{label} imports `{error.name}`, which is neither in its environment nor among its sources",
            notes=[*where, what],
            hint="add the package to the requirements and run `mlbuild lock`, or the module to `deps` as a `py_library`",
        )
    if watch.network:
        return ToolError(
            "network",
            f"{label} tried to reach the network ({watch.network[0]}); actions have none",
            notes=[*where, what],
            hint=f"declare what it fetches with `http_file` (a url and its sha256) and name that in `{attribute}`",
        )
    if file := _missing_file(error, watch):
        return ToolError(
            "undeclared-file",
            f"{label} opened `{file}`, which is not among its inputs",
            notes=[*where, what],
            hint=f'declare it: `{attribute} = [..., "{_label_of(file, label)}"]`, and take it as a parameter '
            f"`{_parameter_of(file)}: Path`;\na file from the web is declared with `http_file`",
        )
    if name := _missing_column(error, columns):
        tables = [f"{table}: {', '.join(names) or 'no columns'}" for table, names in columns.items()]
        first = next(iter(columns), "table")
        return ToolError(
            "undeclared-column",
            f"{label} asks for the column `{name}`, which is in none of its declared tables",
            notes=[*where, what, *tables],
            hint=f'declare it: `columns = {{"{first}": [..., "{name}"]}}`' if attribute == "data" else None,
        )
    return ToolError("function-failed", f"{label}: {what}", notes=where)


def _user_frames(error: BaseException, path: str) -> list[str]:
    """The traceback from the user's first own frame on, as lines."""
    frames = traceback.extract_tb(error.__traceback__)
    here = str(Path(__file__).absolute().parent)
    start = next((index for index, frame in enumerate(frames) if not _below(frame.filename, here)), len(frames))
    while start < len(frames) and "importlib" in frames[start].filename:
        start += 1
    lines = []
    for frame in frames[start:]:
        if not Path(frame.filename).is_file():  # a compiled module's
            continue
        lines.append(f"{_relative(frame.filename)}:{frame.lineno}: in {frame.name}")
        if frame.line:
            lines.append(f"    {frame.line}")
    return lines


def _missing_file(error: BaseException, watch: Watch) -> str | None:
    for each in _chain(error):
        if isinstance(each, FileNotFoundError):
            if each.filename is not None:
                return _relative(os.fsdecode(each.filename))
            if found := FILE_PATTERN.search(str(each)):
                return _relative(found["name"] or found["other"])
            return _relative(str(each)) or None
        if isinstance(each, OSError) and (found := FILE_PATTERN.search(str(each))):
            return _relative(found["name"] or found["other"])
    # Libraries turn a missing file into errors of their own.
    if watch.missing and not isinstance(error, (KeyError, TypeError, AttributeError, AssertionError)):
        return _relative(watch.missing[-1])
    return None


def _missing_column(error: BaseException, columns: Mapping[str, Sequence[str]]) -> str | None:
    known = {name for names in columns.values() for name in names}
    for each in _chain(error):
        text = str(each)
        for pattern in COLUMN_PATTERNS:
            if (found := pattern.search(text)) and found["name"] not in known:
                return found["name"]
        if type(each).__name__ == "ColumnNotFoundError":
            return text.split()[0].strip("\"'`;")
        # Only pandas raises a bare KeyError for a column; a user's own dict does too, so look at who raised it.
        if isinstance(each, KeyError) and each.args and isinstance(each.args[0], str):
            frames = traceback.extract_tb(each.__traceback__)
            if frames and "pandas" in frames[-1].filename:
                name = re.sub(r"^.*\['([^']+)'\].*$", r"\1", each.args[0])
                return name if name not in known else None
    return None


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or each.__context__
    return chain


def _is_ours(path: str) -> bool:
    """Python's own looking about: modules, caches, the system's folders."""
    full = os.path.abspath(path)
    places = (sys.prefix, sys.base_prefix, "/proc", "/sys", "/dev", "/etc", "/python", "/python-packages")
    return full.endswith((".pyc", ".so", ".pth")) or any(_below(full, place) for place in places)


def _below(path: str, folder: str) -> bool:
    return os.path.abspath(path).startswith(folder.rstrip("/") + "/")


def _relative(path: str) -> str:
    full = os.path.abspath(path)
    inside = full.removeprefix(os.getcwd() + "/")
    return inside if inside != full else path


def _address(event: str, arguments: tuple[object, ...]) -> str:
    wanted = arguments[0] if event in ("socket.getaddrinfo", "socket.gethostbyname") else arguments[-1]
    if isinstance(wanted, tuple) and len(wanted) >= 2:
        return f"{wanted[0]}:{wanted[1]}"
    if event == "socket.getaddrinfo" and len(arguments) > 1 and arguments[1] is not None:
        return f"{wanted!s}:{arguments[1]}"
    return wanted.decode(errors="replace") if isinstance(wanted, bytes) else str(wanted)


def _label_of(file: str, label: str) -> str:
    package = label.partition("//")[2].partition(":")[0]
    if file.startswith("/"):
        return Path(file).name
    if package and file.startswith(package + "/"):
        return file.removeprefix(package + "/")
    folder, _, name = file.rpartition("/")
    return f"//{folder}:{name}"


def _parameter_of(file: str) -> str:
    return re.sub(r"\W", "_", Path(file).name.partition(".")[0])
