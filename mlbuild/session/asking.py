"""A question about the workspace's targets: loads what it looks at, and nothing else. Reads only, so it needs no lock."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mlbuild.diagnostics import Diagnostic, ExitCode, fail
from mlbuild.files.source_tree import DiskSourceTree
from mlbuild.files.states import FileStates
from mlbuild.lang import ProgramCache
from mlbuild.loading import Loader
from mlbuild.query import Evaluation, Kept, Order, Source, TargetGraph, ordered, parse
from mlbuild.query.formats import GraphStyle, lines_of
from mlbuild.store import MemoryStore
from mlbuild.terms.event import Warned

if TYPE_CHECKING:
    from mlbuild.config import BuildRequest
    from mlbuild.seams import EventSink

REPOSITORY = "mlbuild"


def ask(request: BuildRequest, sink: EventSink) -> tuple[Iterable[str], ExitCode]:
    """The lines of the answer, and what the command ends with. Raises UserError."""
    try:
        return _answer(request, sink)
    except RecursionError:
        raise fail(
            "too-deep",
            "a value in the answer is nested too deeply to be shown",
            hint="ask for fewer targets, or for their labels alone: `--output=label`",
            exit_code=ExitCode.QUERY_FAILED,
        ) from None


def _answer(request: BuildRequest, sink: EventSink) -> tuple[Iterable[str], ExitCode]:
    question = request.question
    source = _source(request)
    expression = parse(source)
    graph = TargetGraph(
        _loader(request, sink),
        request.package,
        Kept(question.implicit_deps, question.tool_deps),
        request.keep_going,
    )
    answer = Evaluation(graph, source, question.universe_scope).answer(expression)
    labels = ordered(answer.labels, answer.is_path, Order(question.order_output), graph)
    lines = tuple(lines_of(question.output, labels, graph, GraphStyle(question.graph_factored, question.graph_limit)))
    for fault in graph.faults:
        sink.emit(Warned(fault, "error"))
    if not labels:
        sink.emit(Warned(Diagnostic("note", "the answer is empty"), "info"))
    return lines, ExitCode.QUERY_PARTIAL if graph.faults else ExitCode.SUCCESS


def _loader(request: BuildRequest, sink: EventSink) -> Loader:
    # Nothing is built, so nothing is kept but compiled files: the store is never asked.
    sources = DiskSourceTree(
        request.workspace, {REPOSITORY: request.rules_folder.parent}, MemoryStore(), FileStates(None)
    )
    return Loader(sources, ProgramCache(request.private_folder / "lang"), sink)


def _source(request: BuildRequest) -> Source:
    """The expression of the command line, or of the file that `--query_file` names."""
    words = " ".join((*request.words, *request.rest))
    file = request.question.query_file
    if words and file:
        raise fail(
            "two-questions",
            "the command line has an expression, and `--query_file` names a file with one",
            hint="give one of them",
            exit_code=ExitCode.COMMAND_LINE,
        )
    if not words.strip() and not file:
        raise fail(
            "no-question",
            f"`mlbuild {request.command}` needs an expression",
            hint=f"for everything: `mlbuild {request.command} //...`",
            exit_code=ExitCode.COMMAND_LINE,
        )
    if not file:
        return Source(words)
    try:
        return Source(Path(file).read_text(encoding="utf-8"), file)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise fail(
            "cannot-read",
            f"`{file}` cannot be read: {why}",
            hint="name a file that holds an expression",
            exit_code=ExitCode.COMMAND_LINE,
        ) from None
