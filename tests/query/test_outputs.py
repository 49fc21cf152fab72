"""What the output formats print. The graph of the ranks is that of Bazel's manual."""

from __future__ import annotations

import json

from mlbuild.flags import COMMANDS
from mlbuild.query.formats import FORMATS, GraphStyle
from tests.query.graphs import Asked

# The ranks of Bazel's manual: c -> b, a; b -> a, b.cc; a -> a.cc
SPACE = Asked(
    {
        "a/BUILD.ml": 'bare(name = "a", deps = ["a.cc"], visibility = ["//visibility:public"])',
        "a/a.cc": "",
        "b/BUILD.ml": 'bare(name = "b", deps = ["b.cc", "//a"])',
        "b/b.cc": "",
        "c/BUILD.ml": 'bare(name = "c", deps = ["//a", "//b"])',
    }
)


def test_the_command_line_knows_every_format() -> None:
    flag = next(flag for flag in COMMANDS["query"].flags if flag.name == "output")
    assert sorted(flag.choices) == sorted([*FORMATS, "graph"])


def test_ranks() -> None:
    assert SPACE.ask("deps(//c)", "minrank") == ["0 //c:c", "1 //a:a", "1 //b:b", "2 //a:a.cc", "2 //b:b.cc"]
    assert SPACE.ask("deps(//c)", "maxrank") == ["0 //c:c", "1 //b:b", "2 //a:a", "2 //b:b.cc", "3 //a:a.cc"]


def test_orders() -> None:
    assert SPACE.ask("deps(//c)") == ["//a:a", "//a:a.cc", "//b:b", "//b:b.cc", "//c:c"]
    assert SPACE.ask("deps(//c)", order="full") == ["//c:c", "//b:b", "//b:b.cc", "//a:a", "//a:a.cc"]
    assert SPACE.ask("deps(//c)", order="deps") == ["//c:c", "//b:b", "//b:b.cc", "//a:a", "//a:a.cc"]
    assert SPACE.ask("deps(//c)", order="no") == ["//c:c", "//a:a", "//b:b", "//a:a.cc", "//b:b.cc"]


def test_the_order_holds_between_what_is_left_of_a_path() -> None:
    space = Asked({"a/BUILD.ml": 'bare(name = "z", deps = ["m"])\nbare(name = "m", deps = ["a"])\nbare(name = "a")'})
    assert space.ask("deps(//a:z) - //a:m", order="full") == ["//a:z", "//a:a"]
    assert space.ask("deps(//a:z) - //a:m", "minrank") == ["0 //a:z", "1 //a:a"]


def test_a_path_is_shown_as_it_goes() -> None:
    space = Asked({"a/BUILD.ml": 'bare(name = "z", deps = ["m"])\nbare(name = "m", deps = ["a"])\nbare(name = "a")'})
    assert space.ask("somepath(//a:z, //a:a)") == ["//a:z", "//a:m", "//a:a"]
    assert space.ask("let x = //a:z in somepath($x, //a:a)") == ["//a:z", "//a:m", "//a:a"]
    assert space.ask("somepath(//a:z, //a:a) + //a:a") == ["//a:a", "//a:m", "//a:z"]


def test_names_are_sorted_by_package_then_name() -> None:
    space = Asked({"a/BUILD.ml": 'bare(name = "x")', "a/b/BUILD.ml": 'bare(name = "x")'})
    assert space.ask("//a/...") == ["//a:x", "//a/b:x"]


def test_kinds_and_places() -> None:
    assert SPACE.ask("deps(//a)", "label_kind") == ["bare rule //a:a", "source file //a:a.cc"]
    assert SPACE.ask("deps(//a)", "location") == [
        "a/BUILD.ml:2:1: bare rule //a:a",
        "a/a.cc:1:1: source file //a:a.cc",
    ]
    made = Asked({"a/BUILD.ml": 'r(name = "x", outs = ["o"])'})
    assert made.ask("//a:o", "location") == ["a/BUILD.ml:2:1: generated file //a:o"]


def test_packages() -> None:
    assert SPACE.ask("deps(//c) + //:BUILD.ml", "package") == ["", "a", "b", "c"]


def test_a_graph_names_every_edge() -> None:
    assert SPACE.ask("deps(//b)", "graph", style=GraphStyle(is_factored=False)) == [
        "digraph mygraph {",
        "  node [shape=box];",
        '  "//a:a"',
        '  "//a:a" -> "//a:a.cc"',
        '  "//a:a.cc"',
        '  "//b:b"',
        '  "//b:b" -> "//a:a"',
        '  "//b:b" -> "//b:b.cc"',
        '  "//b:b.cc"',
        "}",
    ]


def test_a_factored_graph_has_one_node_for_what_has_the_same_neighbours() -> None:
    space = Asked({"a/BUILD.ml": 'bare(name = "x", deps = ["1", "2", "3"])', "a/1": "", "a/2": "", "a/3": ""})
    lines = space.ask("deps(//a:x)", "graph")
    assert lines[2:-1] == ['  "//a:1\\n//a:2\\n//a:3"', '  "//a:x"', '  "//a:x" -> "//a:1\\n//a:2\\n//a:3"']
    short = space.ask("deps(//a:x)", "graph", style=GraphStyle(limit=12))
    assert short[2] == '  "//a:1\\n//a:2\\n...and 1 more items"'
    assert space.ask("deps(//a:x)", "graph", style=GraphStyle(limit=-1)) == lines


def test_json_has_the_names_of_bazels_messages() -> None:
    space = Asked(
        {
            "a/BUILD.ml": """
config_setting(name = "s", define_values = {"a": "b"})
r(
    name = "x",
    srcs = ["f"] + select({":s": [":g"], "//conditions:default": []}, no_match_error = "what"),
    outs = ["o"],
    is_on = True,
    params = {"rate": 0.5},
    texts_by_name = {"k": "v"},
    by_name = {"n": ":f"},
)
""",
            "a/f": "",
            "a/g": "",
        }
    )
    (rule,) = (json.loads(line) for line in space.ask("//a:x", "streamed_jsonproto"))
    assert (rule["type"], rule["rule"]["name"], rule["rule"]["ruleClass"]) == ("RULE", "//a:x", "r")
    assert rule["rule"]["location"] == "a/BUILD.ml:4:1"
    assert rule["rule"]["ruleInput"] == ["//a:f", "//a:g", "//a:s", "//tools:helper", "//tools:hidden"]
    assert rule["rule"]["ruleOutput"] == ["//a:o"]
    attributes = {each.pop("name"): each for each in rule["rule"]["attribute"]}
    assert attributes["is_on"] == {
        "type": "BOOLEAN",
        "explicitlySpecified": True,
        "booleanValue": True,
        "intValue": 1,
        "stringValue": "true",
    }
    assert attributes["$hidden"] == {"type": "LABEL", "explicitlySpecified": False, "stringValue": "//tools:hidden"}
    assert attributes["tool"] == {"type": "LABEL", "explicitlySpecified": False}
    assert attributes["count"] == {"type": "INTEGER", "explicitlySpecified": False, "intValue": 0}
    assert attributes["params"]["stringValue"] == '{"rate": 0.5}'
    assert attributes["texts_by_name"]["stringDictValue"] == [{"key": "k", "value": "v"}]
    assert attributes["by_name"]["labelDictUnaryValue"] == [{"key": "n", "value": "//a:f"}]
    assert attributes["srcs"] == {
        "type": "SELECTOR_LIST",
        "explicitlySpecified": True,
        "selectorList": {
            "type": "LABEL_LIST",
            "elements": [
                {
                    "entries": [
                        {"label": "//conditions:default", "isDefaultValue": True, "stringListValue": ["//a:f"]}
                    ],
                    "hasDefaultValue": True,
                },
                {
                    "entries": [
                        {"label": "//a:s", "isDefaultValue": False, "stringListValue": ["//a:g"]},
                        {"label": "//conditions:default", "isDefaultValue": True},
                    ],
                    "hasDefaultValue": True,
                    "noMatchError": "what",
                },
            ],
        },
    }
    files = json.loads("\n".join(space.ask("//a:f + //a:o", "jsonproto")))
    assert files == {
        "target": [
            {"type": "SOURCE_FILE", "sourceFile": {"name": "//a:f", "location": "a/f:1:1"}},
            {
                "type": "GENERATED_FILE",
                "generatedFile": {"name": "//a:o", "location": "a/BUILD.ml:4:1", "generatingRule": "//a:x"},
            },
        ]
    }
