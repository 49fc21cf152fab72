"""`ctx.actions.args()`: a command line kept as it was said, made flat when an action takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from mlbuild.lang import Thread, call, str_value, type_name
from mlbuild.records import record
from mlbuild.terms import Argument, Artifact, Depset, ExpandedDirectory, Label

UNSET = object()


@record
class _One:
    name: str | None
    value: object
    format: str | None


@record
class _Many:
    name: str | None
    values: tuple[object, ...] | Depset
    format_each: str | None
    before_each: str | None
    map_each: object
    join_with: str | None
    format_joined: str | None
    terminate_with: str | None
    omit_if_empty: bool
    uniquify: bool
    expand_directories: bool


class Args:
    """Mutable until the end of the rule's implementation; each action takes what it holds at that moment."""

    __slots__ = ("_pieces", "_thread")
    starlark_type: ClassVar[str] = "Args"
    starlark_methods: ClassVar[tuple[str, ...]] = ("add", "add_all", "add_joined")

    def __init__(self, thread: Thread) -> None:
        self._thread = thread
        self._pieces: list[_One | _Many] = []

    def starlark_repr(self) -> str:
        return "<Args>"

    def add(self, arg_name_or_value: object, value: object = UNSET, format: object = None) -> Args:
        name: str | None = None
        if value is UNSET:
            value = arg_name_or_value
        else:
            name = self._text("arg_name", arg_name_or_value)
        if isinstance(value, (list, tuple, dict, Depset)):
            raise self._thread.error(
                "bad-argument", f"`args.add` takes one value, got {type_name(value)}", "use `args.add_all`"
            )
        if isinstance(value, Artifact) and value.is_directory:
            # The path of the directory itself, as in Bazel.
            pass
        self._pieces.append(_One(name, value, self._format("format", format)))
        return self

    def add_all(
        self,
        arg_name_or_values: object,
        values: object = UNSET,
        *,
        map_each: object = None,
        format_each: object = None,
        before_each: object = None,
        omit_if_empty: bool = True,
        uniquify: bool = False,
        expand_directories: bool = True,
        terminate_with: object = None,
    ) -> Args:
        name, items = self._named("add_all", arg_name_or_values, values)
        self._pieces.append(
            _Many(
                name,
                items,
                self._format("format_each", format_each),
                None if before_each is None else self._text("before_each", before_each),
                map_each,
                None,
                None,
                None if terminate_with is None else self._text("terminate_with", terminate_with),
                bool(omit_if_empty),
                bool(uniquify),
                bool(expand_directories),
            )
        )
        return self

    def add_joined(
        self,
        arg_name_or_values: object,
        values: object = UNSET,
        *,
        join_with: object,
        map_each: object = None,
        format_each: object = None,
        format_joined: object = None,
        omit_if_empty: bool = True,
        uniquify: bool = False,
        expand_directories: bool = True,
    ) -> Args:
        name, items = self._named("add_joined", arg_name_or_values, values)
        self._pieces.append(
            _Many(
                name,
                items,
                self._format("format_each", format_each),
                None,
                map_each,
                self._text("join_with", join_with),
                self._format("format_joined", format_joined),
                None,
                bool(omit_if_empty),
                bool(uniquify),
                bool(expand_directories),
            )
        )
        return self

    def flatten(
        self, directory_path: Callable[[Artifact], str] = lambda artifact: artifact.path
    ) -> tuple[Argument, ...]:
        """What it holds now, as arguments."""
        line: list[Argument] = []
        for piece in self._pieces:
            if isinstance(piece, _One):
                if piece.name is not None:
                    line.append(piece.name)
                text = text_of(piece.value)
                line.append(text if piece.format is None else piece.format.replace("%s", text, 1))
            else:
                self._flatten_many(piece, line)
        return tuple(line)

    def directories(self) -> Iterable[Artifact]:
        """Directories whose members the arguments list: an action that takes them needs them as inputs."""
        return (each.directory for each in self.flatten() if isinstance(each, ExpandedDirectory))

    def _flatten_many(self, piece: _Many, line: list[Argument]) -> None:
        items = piece.values.to_tuple() if isinstance(piece.values, Depset) else piece.values
        parts: list[Argument] = []
        for item in items:
            if (
                piece.expand_directories
                and isinstance(item, Artifact)
                and item.is_directory
                and not (piece.map_each is not None)
            ):
                parts.append(
                    ExpandedDirectory(
                        item, piece.format_each or "%s", piece.before_each, omit_if_empty=piece.omit_if_empty
                    )
                )
                continue
            for text in self._mapped(piece, item):
                parts.append(text if piece.format_each is None else piece.format_each.replace("%s", text, 1))
        if piece.uniquify:
            parts = list(dict.fromkeys(parts))
        if not parts and piece.omit_if_empty:
            return
        if piece.name is not None:
            line.append(piece.name)
        if piece.join_with is not None:
            line.append(self._joined(piece, parts))
            return
        for part in parts:
            if piece.before_each is not None and isinstance(part, str):
                line.append(piece.before_each)
            line.append(part)
        if piece.terminate_with is not None:
            line.append(piece.terminate_with)

    def _joined(self, piece: _Many, parts: list[Argument]) -> Argument:
        assert piece.join_with is not None
        if len(parts) == 1 and isinstance(directory := parts[0], ExpandedDirectory) and piece.format_joined is None:
            return ExpandedDirectory(
                directory.directory, directory.format_each, None, piece.join_with, piece.omit_if_empty
            )
        texts = [part for part in parts if isinstance(part, str)]
        if len(texts) != len(parts):
            raise self._thread.error(
                "bad-argument",
                "`args.add_joined` joins the files of one directory, or values that are known now, not both",
                "call it once for the directory, or add `expand_directories = False`",
            )
        text = piece.join_with.join(texts)
        return text if piece.format_joined is None else piece.format_joined.replace("%s", text, 1)

    def _mapped(self, piece: _Many, item: object) -> tuple[str, ...]:
        if piece.map_each is None:
            return (text_of(item),)
        result = call(self._thread, piece.map_each, (item,))
        if result is None:
            return ()
        if isinstance(result, str):
            return (result,)
        if isinstance(result, (list, tuple)) and all(isinstance(each, str) for each in result):
            return tuple(result)
        raise self._thread.error(
            "bad-argument", f"`map_each` must return a string, a list of strings or None, got {type_name(result)}"
        )

    def _named(self, what: str, first: object, values: object) -> tuple[str | None, tuple[object, ...] | Depset]:
        name: str | None = None
        if values is UNSET:
            values = first
        else:
            name = self._text("arg_name", first)
        if isinstance(values, Depset):
            return name, values
        if isinstance(values, (list, tuple)):
            return name, tuple(values)
        raise self._thread.error("bad-argument", f"`args.{what}` takes a list or a depset, got {type_name(values)}")

    def _text(self, name: str, value: object) -> str:
        if isinstance(value, str):
            return value
        raise self._thread.error("bad-argument", f"`{name}`: expected string, got {type_name(value)}")

    def _format(self, name: str, value: object) -> str | None:
        if value is None:
            return None
        text = self._text(name, value)
        if text.count("%s") != 1:
            raise self._thread.error("bad-argument", f'`{name}` must have "%s" once, got "{text}"')
        return text


def text_of(value: object) -> str:
    """A value as an argument: a file is its path."""
    if isinstance(value, str):
        return value
    if isinstance(value, Artifact):
        return value.path
    if isinstance(value, Label):
        return str(value)
    return str_value(value)
