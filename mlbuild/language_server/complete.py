"""What can be written at the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lsprotocol import types

from mlbuild.lang.compiler.resolve import bindings
from mlbuild.lang.runtime.signatures import value
from mlbuild.lang.syntax import tree
from mlbuild.lang.syntax.scan import KEYWORDS
from mlbuild.language_server import documentation, names, receivers
from mlbuild.language_server.complete_labels import labels
from mlbuild.language_server.cursor import Bracket, Cursor, cursor_at
from mlbuild.language_server.signature import Parameter, Signature
from mlbuild.language_server.text import Text
from mlbuild.language_server.workspace import EditedWorkspace
from mlbuild.terms import Attribute

_KIND = types.CompletionItemKind
_VALUES = {
    "string": '"$1"', "label": '"$1"', "output": '"$1"', "bool": "${1|True,False|}", "int": "$1", "float": "$1", "json": "$1",
}  # fmt: skip
_STATEMENTS = ("def", "for", "if", "elif", "else", "return", "break", "continue", "pass")
_OPERATORS = ("and", "or", "not", "in", "if", "else", "for", "lambda")


def complete(
    workspace: EditedWorkspace, path: str, text: Text, offset: int, *, snippets: bool
) -> list[types.CompletionItem]:
    """The items, best first. `snippets`: the editor can take texts with places to fill in."""
    cursor = cursor_at(text.code, offset)
    if cursor.in_comment or cursor.in_text:
        return []
    writer = _Writer(workspace, path, text, cursor, snippets)
    found = list(writer.in_string() if cursor.string_start is not None else writer.in_code())
    return [_ordered(item, number) for number, item in enumerate(found)]


def _ordered(item: types.CompletionItem, number: int) -> types.CompletionItem:
    item.sort_text = f"{number:04}"
    return item


class _Writer:
    def __init__(self, workspace: EditedWorkspace, path: str, text: Text, cursor: Cursor, snippets: bool) -> None:
        self._workspace = workspace
        self._path = path
        self._text = text
        self._cursor = cursor
        self._snippets = snippets

    # In strings
    def in_string(self) -> Iterator[types.CompletionItem]:
        call = self._cursor.call
        start, end = self._cursor.string_start or 0, self._cursor.string_end
        if call is not None and call.function == "load":
            if call.index == 0:
                yield from labels(self._workspace, self._path, self._text, self._cursor, modules=True)
            else:
                yield from self._exports(call, start, end)
            return
        attribute = self._attribute(call)
        if attribute is not None and attribute.values:
            for each in attribute.values:
                if isinstance(each, str):
                    yield self._item(each, _KIND.EnumMember, start, end)
            return
        name = call.keyword if call is not None else ""
        if name == "visibility" or (call is not None and call.function == "package" and name == "default_visibility"):
            yield from self._visibilities(start, end)
            return
        yield from labels(
            self._workspace, self._path, self._text, self._cursor, attribute=attribute, is_key=self._is_condition()
        )

    def _is_condition(self) -> bool:
        inner, call = self._cursor.inner, self._cursor.call
        return (
            inner is not None
            and inner.kind == "{"
            and call is not None
            and call.function == "select"
            and not inner.after_colon
        )

    def _exports(self, call: Bracket, start: int, end: int) -> Iterator[types.CompletionItem]:
        path = names.module_path(self._workspace, self._path, call.first)
        if path is None:
            return
        exports = self._workspace.module(path)
        file = self._workspace.file(path)
        written = [name for name, _ in bindings(file.statements)] if file is not None else []
        for name in sorted({*exports, *(each for each in written if not each.startswith("_"))}):
            called = names.of_value(self._workspace, name, exports.get(name, names.UNKNOWN))
            item = self._item(name, _KIND.Function if called else _KIND.Constant, start, end)
            yield self._told(item, called)

    def _visibilities(self, start: int, end: int) -> Iterator[types.CompletionItem]:
        yield self._item("//visibility:public", _KIND.EnumMember, start, end)
        yield self._item("//visibility:private", _KIND.EnumMember, start, end)
        for repository, package in self._workspace.packages():
            for name in ("__pkg__", "__subpackages__"):
                yield self._item(
                    f"{'@' + repository if repository else ''}//{package}:{name}", _KIND.Module, start, end
                )

    # In code
    def in_code(self) -> Iterator[types.CompletionItem]:
        cursor = self._cursor
        if cursor.receiver:
            yield from self._members()
            return
        call = cursor.inner if cursor.inner is not None and cursor.inner.function else None
        if call is not None and not call.keyword:
            yield from self._arguments(call)
        attribute = self._attribute(cursor.call) if cursor.inner is not None else None
        if attribute is not None:
            yield from self._values(attribute)
        yield from self._names()

    def _members(self) -> Iterator[types.CompletionItem]:
        cursor = self._cursor
        for each in receivers.members(self._workspace, self._path, cursor.receiver, cursor.offset):
            kind = _KIND.Method if each.signature is not None else _KIND.Field
            item = self._item(each.name, kind, cursor.word_start, cursor.offset)
            if each.signature is not None:
                self._told(item, each.signature)
            elif each.doc:
                item.documentation = types.MarkupContent(types.MarkupKind.Markdown, each.doc)
            yield item

    def _arguments(self, call: Bracket) -> Iterator[types.CompletionItem]:
        called = names.signature_of(self._workspace, self._path, call.function, call.offset)
        for each in called.parameters if called is not None else ():
            if each.name in call.given or each.stars or each.is_placed:
                continue
            item = self._item(each.name, _KIND.Property, self._cursor.word_start, self._cursor.offset)
            item.label = f"{each.name} ="
            item.filter_text = each.name
            item.detail = ("mandatory " if each.is_mandatory else "") + (each.kind or "argument")
            assert called is not None
            item.documentation = types.MarkupContent(
                types.MarkupKind.Markdown, documentation.of_parameter(each, called.name)
            )
            self._written(item, f"{each.name} = {placeholder(each)}", f"{each.name} = ")
            yield item

    def _values(self, attribute: Attribute) -> Iterator[types.CompletionItem]:
        start, end = self._cursor.word_start, self._cursor.offset
        if attribute.kind == "bool":
            for word in ("True", "False"):
                yield self._item(word, _KIND.Keyword, start, end)
        for each in attribute.values:
            yield self._item(value(each), _KIND.EnumMember, start, end)

    def _names(self) -> Iterator[types.CompletionItem]:
        cursor = self._cursor
        for name, meaning in sorted(
            names.visible(self._workspace, self._path, cursor.offset).items(), key=lambda each: _rank(each[1])
        ):
            if (
                meaning.what in ("global", "local")
                and meaning.place is not None
                and meaning.place.offset == cursor.word_start
            ):
                continue  # the name that is being written
            yield self._name(name, meaning)
        if cursor.begins_statement:
            yield self._item("load", _KIND.Keyword, cursor.word_start, cursor.offset)
        is_module = self._path.endswith(".bzl")
        for word in dict.fromkeys((*(_STATEMENTS if is_module else ()), *_OPERATORS)):
            assert word in KEYWORDS
            if is_module or word not in ("def", "lambda"):
                yield self._item(word, _KIND.Keyword, cursor.word_start, cursor.offset)

    def _name(self, name: str, meaning: names.Meaning) -> types.CompletionItem:
        cursor = self._cursor
        called: Signature | None = None
        if isinstance(meaning.node, tree.Def):
            called = names.of_definition(self._workspace, meaning.node, self._path)
        elif meaning.value is not names.UNKNOWN and meaning.value is not None:
            called = names.of_value(self._workspace, name, meaning.value, is_universal=meaning.what == "given")
        if called is None:
            kind = _KIND.Keyword if name in ("True", "False", "None") else _KIND.Variable
            item = self._item(name, kind, cursor.word_start, cursor.offset)
            item.detail = meaning.what if meaning.what != "given" else None
            return item
        kind = _KIND.Class if called.what in ("rule", "macro") else _KIND.Function
        item = self._told(self._item(name, kind, cursor.word_start, cursor.offset), called)
        in_build_file = not self._path.endswith(".bzl")
        if called.what in ("rule", "macro") and cursor.begins_statement and in_build_file:
            item.insert_text_format = types.InsertTextFormat.Snippet
            self._written(item, rule_snippet(called), name)
        return item

    # Items
    def _item(self, label: str, kind: types.CompletionItemKind, start: int, end: int) -> types.CompletionItem:
        edit = types.TextEdit(self._text.range(start, end), label)
        return types.CompletionItem(label, kind=kind, text_edit=edit, filter_text=label)

    def _written(self, item: types.CompletionItem, snippet: str, plain: str) -> None:
        """Sets what is written when the item is chosen."""
        assert isinstance(item.text_edit, types.TextEdit)
        item.text_edit.new_text = snippet if self._snippets else plain
        item.insert_text_format = types.InsertTextFormat.Snippet if self._snippets else types.InsertTextFormat.PlainText

    def _told(self, item: types.CompletionItem, called: Signature | None) -> types.CompletionItem:
        if called is not None:
            item.detail = documentation.heading(called)
            item.documentation = types.MarkupContent(types.MarkupKind.Markdown, called.doc)
        return item

    def _attribute(self, call: Bracket | None) -> Attribute | None:
        """The attribute whose value is being written."""
        if call is None:
            return None
        if call.function == "select":
            outer = [each for each in self._cursor.brackets if each.function and each is not call]
            inner = self._cursor.inner
            if not outer or (inner is not None and inner.kind == "{" and not inner.after_colon):
                return None
            call = outer[-1]
        called = names.signature_of(self._workspace, self._path, call.function, call.offset)
        parameter = called.parameter(call.keyword) if called is not None and call.keyword else None
        return None if parameter is None else parameter.attribute


def placeholder(parameter: Parameter) -> str:
    """What is filled in for an argument, as a snippet with one place."""
    kind = parameter.kind
    if parameter.attribute is not None and parameter.attribute.values and kind == "string":
        words = ",".join(str(each) for each in parameter.attribute.values)
        return f'"${{1|{words}|}}"'
    if kind.endswith("_dict"):
        return "{$1}"
    if kind.endswith("_list"):
        return "[$1]" if kind == "int_list" else '["$1"]'
    return _VALUES.get(kind, "$1")


def rule_snippet(called: Signature) -> str:
    """A whole call with what is mandatory, each value a place to fill in."""
    lines = [f"{called.name}("]
    wanted = [each for each in called.parameters if each.is_mandatory]
    named = [each for each in wanted if each.name == "name"]
    wanted = named + [each for each in wanted if each.name != "name"]
    for number, each in enumerate(wanted, 1):
        each = replace(each, kind="string") if each.name == "name" else each
        lines.append(
            f"    {each.name} = {placeholder(each).replace('$1', f'${number}').replace('${1|', f'${{{number}|')},"
        )
    return "\n".join([*lines, ")$0"])


def _rank(meaning: names.Meaning) -> tuple[int, str]:
    order = {"parameter": 0, "local": 0, "global": 1, "loaded": 1, "given": 2}
    return order[meaning.what], meaning.name
