"""The editor's messages, each given to the function that answers it. One thread: answers see one state of all files."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lsprotocol import types
from pygls import uris
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

import mlbuild
from mlbuild.lang import ProgramCache, StarlarkError
from mlbuild.lang.formatting import format_text, kind_of
from mlbuild.language_server import (
    calls,
    complete,
    definition,
    diagnose,
    hover,
    labels,
    mend,
    references,
    rename,
    symbols,
)
from mlbuild.language_server.text import Text
from mlbuild.language_server.workspace import EditedWorkspace, Texts
from mlbuild.loading import BUILD_FILE, WORKSPACE_FILE

DEBOUNCE_SECONDS = 0.15
"""So long after the last key a file is looked through."""
BETWEEN_PAUSES = 8
"""So many parts of a long answer are made before other messages are heard."""
_TRIGGERS = ['"', "/", ":", ".", "@", "("]

T = TypeVar("T")
P = TypeVar("P")


def serve(cache: Path, rules: Path) -> int:
    """Speaks with the editor at standard input and output until it says `exit` or is gone; returns the exit code."""
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR, format="%(levelname)s: %(message)s")
    # Whatever else would write to standard output goes to the log, which is no part of the conversation.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answers = Answers(cache, rules)
    answers.server.start_io(stdout=out)
    return 0 if answers.is_over else 1


class Answers:
    """The state behind the messages: the texts that are open, and a workspace for each root that they lie in."""

    def __init__(self, cache: Path, rules: Path) -> None:
        self._rules = rules
        self._texts = Texts()
        self._programs = ProgramCache(cache / "lang")
        self._workspaces: dict[Path, EditedWorkspace] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._published: set[str] = set()
        self.is_over = False
        """The editor has said that it will say `exit`."""
        self.server = LanguageServer("mlbuild", mlbuild.__version__, types.TextDocumentSyncKind.Incremental)
        self._register()

    def _register(self) -> None:
        self._on(types.SHUTDOWN, self._shut_down)
        self._on(types.TEXT_DOCUMENT_DID_OPEN, self._opened)
        self._on(types.TEXT_DOCUMENT_DID_CHANGE, self._changed)
        self._on(types.TEXT_DOCUMENT_DID_SAVE, self._saved)
        self._on(types.TEXT_DOCUMENT_DID_CLOSE, self._closed)
        self._on(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, self._files_changed)
        self._on(types.TEXT_DOCUMENT_COMPLETION, self._complete, types.CompletionOptions(trigger_characters=_TRIGGERS))
        self._on(types.TEXT_DOCUMENT_HOVER, self._hover)
        self._on(types.INITIALIZED, self._initialized)
        triggers = types.SignatureHelpOptions(["(", ","])
        self._on(types.TEXT_DOCUMENT_SIGNATURE_HELP, self._at(calls.signature_help), triggers)
        self._on(types.TEXT_DOCUMENT_DEFINITION, self._definition)
        self._on(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, self._symbols)
        self._on(types.TEXT_DOCUMENT_FOLDING_RANGE, self._folds)
        self._on(types.TEXT_DOCUMENT_DOCUMENT_LINK, self._links)
        self._on(types.TEXT_DOCUMENT_FORMATTING, self._format)
        fixes = types.CodeActionOptions([types.CodeActionKind.QuickFix])
        self._on(types.TEXT_DOCUMENT_CODE_ACTION, self._mends, fixes)
        self._on(types.TEXT_DOCUMENT_PREPARE_RENAME, self._can_rename)
        self._slowly(types.TEXT_DOCUMENT_REFERENCES, self._references)
        self._slowly(types.TEXT_DOCUMENT_RENAME, self._rename, types.RenameOptions(prepare_provider=True))
        self._slowly(types.WORKSPACE_SYMBOL, self._workspace_symbols)

    def _on(self, method: str, answer: Callable[[P], object], options: object = None) -> None:
        # pygls writes on the function that it is given, which a method does not allow.
        def given(params: P) -> object:
            return answer(params)

        self.server.feature(method, options)(given)

    def _slowly(self, method: str, answer: Callable[[P], Iterator[T | None]], options: object = None) -> None:
        """Registers what answers in parts: between them other messages are heard, one that takes the question back too."""

        async def given(params: P) -> list[T]:
            found: list[T] = []
            for number, each in enumerate(answer(params)):
                if each is not None:
                    found.append(each)
                elif number % BETWEEN_PAUSES == 0:
                    await asyncio.sleep(0)
            return found

        async def renamed(params: P) -> types.WorkspaceEdit | None:
            found = await given(params)
            return self._as_edit([each for each in found if isinstance(each, Edit)]) if found else None

        self.server.feature(method, options)(renamed if method == types.TEXT_DOCUMENT_RENAME else given)

    def _at(
        self, answer: Callable[[EditedWorkspace, str, Text, int], T]
    ) -> Callable[[types.TextDocumentPositionParams], T | None]:
        """Gives the question's file and offset to a function of the language."""

        def given(params: types.TextDocumentPositionParams) -> T | None:
            return self._ask(
                params.text_document.uri,
                lambda workspace, path, text: answer(workspace, path, text, text.offset(params.position)),
            )

        return given

    def _initialized(self, params: types.InitializedParams) -> None:
        self._texts.encoding = self._encoding()

    def _shut_down(self, params: None) -> None:
        self.is_over = True
        for waiting in self._waiting.values():
            waiting.cancel()

    # Files
    def _opened(self, params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        self._edit(document.uri, Text(document.text, self._encoding()), document.version)

    def _changed(self, params: types.DidChangeTextDocumentParams) -> None:
        known = self._texts.open.get(place_of(params.text_document.uri))
        if known is not None:
            self._edit(params.text_document.uri, known.changed(params.content_changes), params.text_document.version)

    def _saved(self, params: types.DidSaveTextDocumentParams) -> None:
        for workspace in self._workspaces.values():
            workspace.look_again(at_once=True)
        self._look_through_all()

    def _closed(self, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        place = place_of(uri)
        self._texts.open.pop(place, None)
        self._texts.versions.pop(place, None)
        if (waiting := self._waiting.pop(place, None)) is not None:
            waiting.cancel()
        workspace, path = self._of(place)
        if path is not None:
            workspace.edited(path)
        if place in self._published:
            self._published.discard(place)
            self.server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def _files_changed(self, params: types.DidChangeWatchedFilesParams) -> None:
        for workspace in self._workspaces.values():
            workspace.look_again(at_once=True)
        self._look_through_all()

    def _edit(self, uri: str, text: Text, version: int) -> None:
        place = place_of(uri)
        self._texts.open[place] = text
        self._texts.versions[place] = version
        if self._of(place)[1] is None:
            return
        for each in self._workspaces.values():
            if (inside := each.path_of(place)) is not None:
                each.edited(inside)
        if place.endswith((".bzl", WORKSPACE_FILE)):
            self._look_through_all()
        else:
            self._look_through_soon(place)

    # Mistakes
    def _look_through_all(self) -> None:
        for place in self._texts.open:
            self._look_through_soon(place)

    def _look_through_soon(self, place: str) -> None:
        if (waiting := self._waiting.pop(place, None)) is not None:
            waiting.cancel()
        loop = asyncio.get_running_loop()
        self._waiting[place] = loop.call_later(DEBOUNCE_SECONDS, self._look_through, place)

    def _look_through(self, place: str) -> None:
        self._waiting.pop(place, None)
        text = self._texts.open.get(place)
        workspace, path = self._of(place)
        if text is None or path is None:
            return
        workspace.look_again()
        try:
            found = diagnose.shown(diagnose.diagnose(workspace, path), text, path)
        except Exception:
            logging.exception("a bug in mlbuild: cannot look through %s", place)
            return
        self._published.add(place)
        self.server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uris.from_fs_path(place) or place, found, self._texts.versions.get(place))
        )

    # Questions
    def _complete(self, params: types.CompletionParams) -> types.CompletionList:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> list[types.CompletionItem]:
            offset = text.offset(params.position)
            return complete.complete(workspace, path, text, offset, snippets=self._takes_snippets())

        return types.CompletionList(False, self._ask(params.text_document.uri, answer) or [])

    def _hover(self, params: types.HoverParams) -> types.Hover | None:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> types.Hover | None:
            return hover.hover(workspace, path, text, text.offset(params.position))

        return self._ask(params.text_document.uri, answer)

    def _definition(self, params: types.DefinitionParams) -> types.Location | None:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> types.Location | None:
            place = definition.definition(workspace, path, text, text.offset(params.position))
            return None if place is None else _location(workspace, place.path, place.offset, place.offset)

        return self._ask(params.text_document.uri, answer)

    def _symbols(self, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
        return self._ask(params.text_document.uri, symbols.of_file)

    def _folds(self, params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> list[types.FoldingRange]:
            return symbols.folds(text) + symbols.fold_functions(workspace, path, text)

        return self._ask(params.text_document.uri, answer)

    def _links(self, params: types.DocumentLinkParams) -> list[types.DocumentLink] | None:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> list[types.DocumentLink]:
            found: list[types.DocumentLink] = []
            for each in labels.written_in(workspace, path):
                is_file = each.is_load or workspace.target(each.label) is None
                if is_file and workspace.folders().kind(each.label.path) == "file":
                    target = uris.from_fs_path(workspace.place_of(each.label.path))
                    found.append(types.DocumentLink(text.range(each.start, each.end), target))
            return found

        return self._ask(params.text_document.uri, answer)

    def _format(self, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> list[types.TextEdit]:
            try:
                formatted = format_text(text.source, kind_of(path), path)
            except StarlarkError:
                return []  # what is wrong is said already
            return [] if formatted == text.source else [types.TextEdit(text.whole(), formatted)]

        return self._ask(params.text_document.uri, answer)

    def _mends(self, params: types.CodeActionParams) -> list[types.CodeAction] | None:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> list[types.CodeAction]:
            return mend.mends(params.text_document.uri, text, params.context.diagnostics)

        return self._ask(params.text_document.uri, answer)

    def _can_rename(self, params: types.PrepareRenameParams) -> types.Range | None:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> types.Range | None:
            offset = text.offset(params.position)
            target = definition.target_at(workspace, path, text, offset)
            if target is not None:
                written = labels.at(workspace, path, offset)
                if written is not None:
                    beyond = len(written.label.name) - len(target.label.name)
                    return text.range(
                        max(written.start, written.end - beyond - len(target.label.name)), written.end - beyond
                    )
                span = references.name_of_target(workspace, target)
                return None if span is None else text.range(span[1], span[2])
            symbol = definition.symbol_at(workspace, path, text, offset)
            return None if symbol is None else text.range(*hover.word_around(text.code, offset))

        return self._ask(params.text_document.uri, answer)

    def _references(self, params: types.ReferenceParams) -> Iterator[types.Location | None]:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> Iterator[types.Location | None]:
            offset = text.offset(params.position)
            target = definition.target_at(workspace, path, text, offset)
            symbol = definition.symbol_at(workspace, path, text, offset) if target is None else None
            if target is not None and params.context.include_declaration:
                place = definition.of_target(workspace, target)
                if place is not None:
                    yield _location(workspace, place.path, place.offset, place.offset)
            found = references.of_target(workspace, target) if target is not None else iter(())
            for span in references.of_symbol(workspace, symbol) if symbol is not None else found:
                is_definition = (
                    symbol is not None and span is not None and span[:2] == (symbol.place.path, symbol.place.offset)
                )
                if span is None:
                    yield None
                elif params.context.include_declaration or not is_definition:
                    yield _location(workspace, *span)

        return self._ask(params.text_document.uri, answer) or iter(())

    def _rename(self, params: types.RenameParams) -> Iterator[Edit | None]:
        def answer(workspace: EditedWorkspace, path: str, text: Text) -> Iterator[Edit | None]:
            offset = text.offset(params.position)
            target = definition.target_at(workspace, path, text, offset)
            symbol = definition.symbol_at(workspace, path, text, offset) if target is None else None
            edits: Iterator[tuple[references.Span, str] | None] = iter(())
            if target is not None:
                edits = rename.of_target(workspace, target, params.new_name)
            elif symbol is not None:
                edits = rename.of_symbol(workspace, symbol, params.new_name)
            try:
                for each in edits:
                    yield None if each is None else Edit(_location(workspace, *each[0]), each[1])
            except rename.CannotRename as why:
                raise JsonRpcInvalidParams(str(why)) from None

        return self._ask(params.text_document.uri, answer) or iter(())

    def _as_edit(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        changes: dict[str, list[types.TextEdit]] = {}
        for each in edits:
            changes.setdefault(each.place.uri, []).append(types.TextEdit(each.place.range, each.text))
        return types.WorkspaceEdit(changes)

    def _workspace_symbols(self, params: types.WorkspaceSymbolParams) -> Iterator[types.WorkspaceSymbol | None]:
        opened = [Path(place_of(each)) for each in self.server.workspace.folders]
        for root in dict.fromkeys([*(self._root(each / BUILD_FILE) for each in opened), *self._workspaces]):
            workspace = self._workspace(root)
            workspace.look_again()
            for each in symbols.of_workspace(workspace, params.query):
                if each is None:
                    yield None
                else:
                    label, rule, place = each
                    location = _location(workspace, place.path, place.offset, place.offset)
                    yield types.WorkspaceSymbol(location, label, types.SymbolKind.Object, container_name=rule)

    def _ask(self, uri: str, answer: Callable[[EditedWorkspace, str, Text], T]) -> T | None:
        """The answer for an open file of ours; nothing for any other."""
        place = place_of(uri)
        text = self._texts.open.get(place)
        workspace, path = self._of(place)
        if text is None or path is None:
            return None
        workspace.look_again()
        return answer(workspace, path, text)

    # Workspaces
    def _of(self, place: str) -> tuple[EditedWorkspace, str | None]:
        """The workspace that a file belongs to, and its path there; no path if the file is none of ours."""
        file = Path(place)
        workspace = self._workspace(self._root(file))
        is_ours = file.name in (BUILD_FILE, WORKSPACE_FILE) or file.suffix == ".bzl"
        return workspace, workspace.path_of(place) if is_ours else None

    def _workspace(self, root: Path) -> EditedWorkspace:
        known = self._workspaces.get(root)
        if known is None:
            known = self._workspaces[root] = EditedWorkspace(root, self._rules, self._texts, self._programs)
        return known

    def _root(self, file: Path) -> Path:
        """The nearest folder with a WORKSPACE.ml; without one the editor's own folder, or the file's."""
        for folder in file.parents:
            if (folder / WORKSPACE_FILE).is_file() or str(folder / WORKSPACE_FILE) in self._texts.open:
                return folder
        opened = [place_of(each) for each in self.server.workspace.folders]
        inside = [Path(each) for each in opened if each and f"{file}".startswith(each.rstrip("/") + "/")]
        return max(inside, key=lambda each: len(each.parts), default=file.parent)

    def _encoding(self) -> str:
        chosen = self.server.workspace.position_encoding or types.PositionEncodingKind.Utf16
        return types.PositionEncodingKind(chosen).value

    def _takes_snippets(self) -> bool:
        document = self.server.client_capabilities.text_document
        completion = document.completion if document is not None else None
        item = completion.completion_item if completion is not None else None
        return bool(item is not None and item.snippet_support)


@dataclass(frozen=True, slots=True)
class Edit:
    """What a rename writes at a place."""

    place: types.Location
    text: str


def _location(workspace: EditedWorkspace, path: str, start: int, end: int) -> types.Location:
    place = workspace.place_of(path)
    text = workspace.text(path) or Text("")
    return types.Location(uris.from_fs_path(place) or place, text.range(start, end))


def place_of(uri: str) -> str:
    """Where a document is on disk; of one that is on none, its address."""
    path = uris.to_fs_path(uri)
    return os.path.normpath(path) if path else uri
