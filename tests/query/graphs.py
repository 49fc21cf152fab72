"""Small workspaces to ask questions about."""

from __future__ import annotations

from collections.abc import Mapping

from mlbuild.diagnostics import UserError, render
from mlbuild.query import Evaluation, Kept, Order, Source, TargetGraph, ordered, parse
from mlbuild.query.formats import GraphStyle, lines_of
from mlbuild.testing.workspace import MemoryWorkspace

RULES = """
def _impl(ctx):
    pass

r = rule(implementation = _impl, attrs = {
    "srcs": attr.label_list(allow_files = True),
    "outs": attr.output_list(),
    "deps": attr.label_list(),
    "by_name": attr.string_keyed_label_dict(),
    "helper": attr.label(default = "//tools:helper"),
    "tool": attr.label(cfg = "exec"),
    "_hidden": attr.label(default = "//tools:hidden"),
    "texts": attr.string_list(),
    "text": attr.string(default = "plain"),
    "count": attr.int(),
    "is_on": attr.bool(),
    "texts_by_name": attr.string_dict(),
    "params": attr.json(),
})

bare = rule(implementation = _impl, attrs = {"deps": attr.label_list(allow_files = True)})
bare_test = rule(implementation = _impl, attrs = {"deps": attr.label_list()}, test = True)

def pair(name):
    bare(name = name + "_a")
    bare(name = name + "_b", deps = [name + "_a"])
"""
LOAD = 'load("//:rules.bzl", "bare", "bare_test", "pair", "r")\n'
TOOLS = LOAD + 'bare(name = "helper")\nbare(name = "hidden")\nbare(name = "hammer")\n'


class Asked:
    """A workspace, and the questions that one asks it."""

    def __init__(self, files: Mapping[str, str]) -> None:
        loaded = {path: LOAD + text if path.endswith("BUILD.ml") else text for path, text in files.items()}
        self.space = MemoryWorkspace({"BUILD.ml": "", "rules.bzl": RULES, "tools/BUILD.ml": TOOLS, **loaded})

    def graph(self, kept: Kept = Kept(), keep_going: bool = False) -> TargetGraph:
        return TargetGraph(self.space.loader, "", kept, keep_going)

    def ask(
        self,
        text: str,
        output: str = "label",
        order: str = "auto",
        kept: Kept = Kept(),
        universe: tuple[str, ...] = (),
        style: GraphStyle = GraphStyle(),
    ) -> list[str]:
        graph, source = self.graph(kept), Source(text)
        answer = Evaluation(graph, source, universe).answer(parse(source))
        labels = ordered(answer.labels, answer.is_path, Order(order), graph)
        return list(lines_of(output, labels, graph, style))

    def error(self, text: str) -> str:
        """What a person reads."""
        try:
            self.ask(text)
        except UserError as error:
            return f"exit {int(error.exit_code)}\n" + "\n".join(map(render, error.diagnostics))
        raise AssertionError(f"{text} has an answer")
