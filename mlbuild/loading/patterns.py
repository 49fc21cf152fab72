"""Target patterns of a command line: `//a:b`, `//a`, `:b`, `//a/...`, `//a:all`, `//a:*`, `-//a:b`."""

from __future__ import annotations

from enum import Enum

from mlbuild.diagnostics import ExitCode, UserError, fail
from mlbuild.records import record
from mlbuild.terms import BadLabel, Label


class Scope(Enum):
    """Which targets of its packages a pattern means."""

    ONE = "one"
    RULES = "all"
    EVERYTHING = "*"


@record
class Pattern:
    """What one argument means. With `is_recursive`, `label.package` is the folder to begin in."""

    text: str
    label: Label
    scope: Scope = Scope.ONE
    is_recursive: bool = False
    is_subtracted: bool = False


def parse_pattern(text: str, folder: str = "") -> Pattern:
    """The pattern as seen from a folder of the workspace. Raises UserError."""
    is_subtracted = text.startswith("-")
    body = text[1:] if is_subtracted else text
    absolute = _absolute(body, folder)
    prefix, colon, name = absolute.partition(":")
    scope = Scope.ONE
    is_recursive = False
    if prefix.endswith("/..."):
        prefix = prefix[:-3].rstrip("/") if not prefix.endswith("//...") else prefix[:-3]
        is_recursive = True
        if name not in ("", "all", "*", "all-targets"):
            raise _bad(text, "after `...` comes nothing, `:all` or `:*`")
        scope = Scope.EVERYTHING if name in ("*", "all-targets") else Scope.RULES
    elif colon and name in ("*", "all-targets"):
        scope = Scope.EVERYTHING
    elif colon and name == "all":
        scope = Scope.RULES
    try:
        label = Label.parse(absolute if scope is Scope.ONE else f"{prefix}:all")
    except BadLabel as error:
        raise _bad(text, str(error)) from None
    return Pattern(text, label, scope, is_recursive, is_subtracted)


def _absolute(body: str, folder: str) -> str:
    if body.startswith(("//", "@")):
        return body
    if body.startswith(":"):
        return f"//{folder}{body}"
    path, colon, name = body.partition(":")
    package = "/".join(part for part in (folder, path) if part)
    if path == "..." or path.endswith("/...") or colon:
        return f"//{package}{colon}{name}"
    # As in Bazel, `models/ranker` may be a package or a target of `models`: the loader decides.
    return f"//{package}"


def _bad(text: str, why: str) -> UserError:
    return fail(
        "bad-pattern",
        f"`{text}` is no target pattern: {why}",
        hint="write `//package:target`, `//package:all` or `//package/...`",
        exit_code=ExitCode.COMMAND_LINE,
    )
