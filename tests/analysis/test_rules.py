"""What a rule's implementation sees and declares."""

import pytest

from mlbuild.terms import (
    Artifact,
    ExpandedDirectory,
    ExpandTemplateAction,
    FetchAction,
    Label,
    MapAction,
    Mount,
    Resources,
    SpawnAction,
    SymlinkAction,
    WriteAction,
)
from mlbuild.testing.workspace import MemoryWorkspace


def workspace(rules: str, build: str, **more: str) -> MemoryWorkspace:
    return MemoryWorkspace({"rules.bzl": rules, "BUILD.ml": 'load(":rules.bzl", "r")\n' + build, **more})


def write(expression: str, attrs: str = "{}", build: str = 'r(name = "x")', extra: str = "", **more: str) -> str:
    """What an implementation writes that sees the expression."""
    rules = (
        f"{extra}\ndef _impl(ctx):\n    out = ctx.actions.declare_file('out')\n"
        f"    ctx.actions.write(out, repr({expression}))\n    return [DefaultInfo(files = depset([out]))]\n"
        f"r = rule(implementation = _impl, attrs = {attrs})\n"
    )
    (action,) = [each for each in workspace(rules, build, **more).analyse("//:x").actions if each.owner.name == "x"]
    assert isinstance(action, WriteAction)
    return action.content.decode()


def actions(
    body: str, attrs: str = "{}", build: str = 'r(name = "x")', extra: str = "", **more: str
) -> tuple[object, ...]:
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    rules = f"{extra}\ndef _impl(ctx):\n{lines}\nr = rule(implementation = _impl, attrs = {attrs})\n"
    return workspace(rules, build, **more).analyse("//:x").actions


@pytest.mark.parametrize(
    ("definition", "written", "seen"),
    [
        ("attr.string()", '"text"', '"text"'),
        ("attr.int()", "3", "3"),
        ("attr.float()", "3", "3.0"),
        ("attr.bool()", "True", "True"),
        ("attr.string_list()", '["a", "b"]', '["a", "b"]'),
        ("attr.int_list()", "[1]", "[1]"),
        ("attr.string_dict()", '{"a": "b"}', '{"a": "b"}'),
        ("attr.string_list_dict()", '{"a": ["b"]}', '{"a": ["b"]}'),
        ("attr.json()", '{"a": [1, None, 2.5]}', '{"a": [1, None, 2.5]}'),
    ],
)
def test_attributes_show_what_was_written(definition: str, written: str, seen: str) -> None:
    assert write("ctx.attr.a", f'{{"a": {definition}}}', f'r(name = "x", a = {written})') == seen


@pytest.mark.parametrize(
    ("definition", "seen"),
    [
        ("attr.string()", '""'),
        ('attr.string(default = "d")', '"d"'),
        ("attr.int(default = 7)", "7"),
        ("attr.bool()", "False"),
        ("attr.label()", "None"),
        ("attr.label_list()", "[]"),
        ("attr.string_dict()", "{}"),
        ("attr.json()", "None"),
    ],
)
def test_defaults_stand_for_what_was_not_written(definition: str, seen: str) -> None:
    assert write("ctx.attr.a", f'{{"a": {definition}}}') == seen
    assert write("ctx.attr.a", f'{{"a": {definition}}}', 'r(name = "x", a = None)') == seen


def test_labels_become_targets_with_files() -> None:
    attrs = '{"a": attr.label(allow_single_file = True), "b": attr.label_list(allow_files = True)}'
    build = 'r(name = "x", a = "f.txt", b = ["f.txt", "//p:g.txt"])'
    more = {"f.txt": "", "p/BUILD.ml": "", "p/g.txt": ""}
    assert write("[ctx.attr.a.label, ctx.file.a.path]", attrs, build, **more) == '[Label("//:f.txt"), "f.txt"]'
    assert write("[f.path for f in ctx.files.b]", attrs, build, **more) == '["f.txt", "p/g.txt"]'
    assert write("[t.label.package for t in ctx.attr.b]", attrs, build, **more) == '["", "p"]'


def test_dicts_with_labels_become_dicts_with_targets() -> None:
    build = 'r(name = "x", a = {"f.txt": "v"}, b = {"k": "f.txt"})'
    attrs = (
        '{"a": attr.label_keyed_string_dict(allow_files = True), "b": attr.string_keyed_label_dict(allow_files = True)}'
    )
    expression = (
        "[[(t.label.name, v) for t, v in ctx.attr.a.items()], [(k, t.label.name) for k, t in ctx.attr.b.items()]]"
    )
    assert write(expression, attrs, build, **{"f.txt": ""}) == '[[("f.txt", "v")], [("k", "f.txt")]]'


def test_providers_go_from_target_to_target() -> None:
    rules = """
Info = provider(fields = ["n"])
def _impl(ctx):
    return [Info(n = 1 + sum([dep[Info].n for dep in ctx.attr.deps if Info in dep]))]
r = rule(implementation = _impl, attrs = {"deps": attr.label_list(allow_files = True)})
def sum(numbers):
    total = 0
    for number in numbers:
        total += number
    return total
def _show(ctx):
    out = ctx.actions.declare_file("n")
    ctx.actions.write(out, str(ctx.attr.of[Info].n))
show = rule(implementation = _show, attrs = {"of": attr.label(providers = [Info])})
"""
    build = """
load(":rules.bzl", "show")
r(name = "a", deps = [":b", ":c", "f.txt"])
r(name = "b", deps = [":c"])
r(name = "c")
show(name = "x", of = ":a")
"""
    (action,) = workspace(rules, build, **{"f.txt": ""}).analyse("//:x").actions
    assert isinstance(action, WriteAction) and action.content == b"4"


def test_what_a_provider_holds_cannot_be_changed() -> None:
    rules = """
Info = provider()
def _impl(ctx):
    if not ctx.attr.dep:
        return [Info(items = [1])]
    ctx.attr.dep[Info].items.append(2)
r = rule(implementation = _impl, attrs = {"dep": attr.label()})
"""
    message = workspace(rules, 'r(name = "x", dep = ":y")\nr(name = "y")').error("//:x")
    assert "error[frozen]: trying to mutate a frozen list value" in message


def test_run_declares_a_spawn_with_all_that_was_said() -> None:
    (spawn,) = actions(
        """
out = ctx.actions.declare_file("o.txt")
args = ctx.actions.args()
args.add("--flag", 3, format = "n=%s")
args.add_all(ctx.files.srcs, before_each = "-i", format_each = "@%s")
args.add_joined("--all", [1, 2], join_with = ",")
ctx.actions.run(
    outputs = [out], inputs = ctx.files.srcs, executable = "../tool/bin/t", arguments = ["a", args],
    env = {"B": "2", "A": "1"}, mounts = {"lib": "tool/lib"}, platform = {"numerics": "avx2"},
    mnemonic = "Try", progress_message = "Trying %{label}", timeout = 5, cpus = 2, memory_mib = 512, retries = 1,
)
""",
        '{"srcs": attr.label_list(allow_files = True)}',
        'r(name = "x", srcs = ["f", "g"])',
        f="",
        g="",
    )
    label = Label("", "", "x")
    assert spawn == SpawnAction(
        owner=label,
        mnemonic="Try",
        arguments=("../tool/bin/t", "a", "--flag", "n=3", "-i", "@f", "-i", "@g", "--all", "1,2"),
        outputs=(Artifact("mlbuild-out/o.txt", label, False),),
        inputs=(Artifact("f", Label("", "", "f"), True), Artifact("g", Label("", "", "g"), True)),
        environment=(("A", "1"), ("B", "2")),
        mounts=(Mount("lib", "tool/lib"),),
        platform=(("numerics", "avx2"),),
        resources=Resources(2, 512, 512),
        timeout_seconds=5,
        retries=1,
        progress_message="Trying //:x",
    )


def test_directories_in_arguments_are_expanded_when_they_are_built() -> None:
    _, spawn = actions("""
d = ctx.actions.declare_directory("d")
o = ctx.actions.declare_file("o")
ctx.actions.fetch(output = d, kind = "k", spec = {"b": "2", "a": "1"}, progress_message = "m")
args = ctx.actions.args()
args.add_all([d], format_each = "f=%s", before_each = "-x")
args.add_all([d], expand_directories = False)
args.add_joined([d], join_with = ":")
ctx.actions.run(outputs = [o], executable = "t", arguments = [args])
""")
    assert isinstance(spawn, SpawnAction)
    directory = Artifact("mlbuild-out/d", Label("", "", "x"), False, is_directory=True)
    assert spawn.arguments == (
        "t",
        ExpandedDirectory(directory, "f=%s", "-x"),
        "mlbuild-out/d",
        ExpandedDirectory(directory, join_with=":"),
    )
    assert spawn.inputs == (directory,)


def test_the_other_actions() -> None:
    label = Label("", "", "x")
    directory = Artifact("mlbuild-out/d", label, False, is_directory=True)
    written = Artifact("mlbuild-out/w", label, False)
    assert actions("""
d = ctx.actions.declare_directory("d")
ctx.actions.fetch(output = d, kind = "k", spec = {"b": "2", "a": "1"}, progress_message = "m")
w = ctx.actions.declare_file("w")
ctx.actions.write(w, ctx.actions.args().add("a").add_all(["b", "c"]), is_executable = True)
t = ctx.actions.declare_file("t")
ctx.actions.expand_template(template = w, output = t, substitutions = {"b": "B", "a": "A"})
s = ctx.actions.declare_file("s")
ctx.actions.symlink(output = s, target_file = t)
""") == (
        FetchAction(label, "k", (("a", "1"), ("b", "2")), directory, (), progress_message="m"),
        WriteAction(label, written, b"a\nb\nc\n", True),
        ExpandTemplateAction(label, written, Artifact("mlbuild-out/t", label, False), (("b", "B"), ("a", "A"))),
        SymlinkAction(label, Artifact("mlbuild-out/t", label, False), Artifact("mlbuild-out/s", label, False)),
    )


def test_outputs_named_in_attributes_and_by_the_rule() -> None:
    rules = """
def _impl(ctx):
    for file in [ctx.outputs.one, ctx.outputs.model] + ctx.outputs.more:
        ctx.actions.write(file, "")
r = rule(
    implementation = _impl,
    attrs = {"one": attr.output(), "more": attr.output_list(), "kind": attr.string(default = "k")},
    outputs = {"model": "%{name}.%{kind}"},
)
"""
    graph = workspace(rules, 'r(name = "x", one = "1", more = ["2", "d/3"])').analyse("//:x", "//:d/3", "//:x.k")
    assert [artifact.path for artifact in graph.targets[0].files] == [
        "mlbuild-out/1", "mlbuild-out/2", "mlbuild-out/d/3", "mlbuild-out/x.k",
    ]  # fmt: skip
    assert [target.files[0].path for target in graph.targets[1:]] == ["mlbuild-out/d/3", "mlbuild-out/x.k"]
    assert [target.kind for target in graph.targets] == ["r", "generated file", "generated file"]


def test_parts_are_labels_with_providers_of_their_own() -> None:
    rules = """
Info = provider(fields = ["n"])
def _impl(ctx):
    if ctx.attr.dep:
        out = ctx.actions.declare_file("seen")
        ctx.actions.write(out, str(ctx.attr.dep.label) + str(ctx.attr.dep[Info].n))
        return [DefaultInfo(files = depset([out]))]
    a = ctx.actions.declare_file("a")
    ctx.actions.write(a, "")
    return [PartsInfo(parts = {"train": [DefaultInfo(files = depset([a])), Info(n = 1)], "test": [Info(n = 2)]})]
r = rule(implementation = _impl, attrs = {"dep": attr.label(providers = [Info])})
"""
    space = workspace(rules, 'r(name = "x", dep = ":s.test")\nr(name = "s")')
    graph = space.analyse("//:x", "//:s.train")
    assert [each.content for each in graph.actions if isinstance(each, WriteAction)] == [b"", b"//:s.test2"]
    assert [(str(target.label), [file.path for file in target.files]) for target in graph.targets] == [
        ("//:x", ["mlbuild-out/seen"]),
        ("//:s.train", ["mlbuild-out/a"]),
    ]
    assert space.error("//:s.trian") == (
        "error[no-such-part]: `//:s` (r) has no part `trian`\n  hint: did you mean `//:s.train`?"
    )


def test_groups_runs_and_tests_reach_the_configured_target() -> None:
    rules = """
def _impl(ctx):
    out = ctx.actions.declare_file("log")
    ctx.actions.run(outputs = [out], executable = "t")
    return [
        DefaultInfo(files = depset()),
        OutputGroupInfo(report = depset([out]), empty = []),
        RunInfo(arguments = ["p", "q"], env = {"A": "1"}, inputs = [out], mounts = {"lib": "x"}),
        TestInfo(results = [out]),
    ]
r = rule(implementation = _impl, test = True)
"""
    graph = workspace(rules, 'r(name = "x")').analyse("//:x")
    (target,) = graph.targets
    log = Artifact("mlbuild-out/log", Label("", "", "x"), False)
    assert (target.files, target.groups, target.test_results) == ((), {"report": (log,), "empty": ()}, (log,))
    assert target.run is not None
    assert (target.run.arguments, target.run.environment, target.run.inputs, target.run.mounts) == (
        ("p", "q"), (("A", "1"),), (log,), (Mount("lib", "x"),),
    )  # fmt: skip
    (spawn,) = graph.actions
    assert isinstance(spawn, SpawnAction) and spawn.is_test


def test_an_executable_file_can_be_run() -> None:
    rules = """
def _impl(ctx):
    out = ctx.actions.declare_file("prog")
    ctx.actions.write(out, "#!", is_executable = True)
    return [DefaultInfo(executable = out)]
r = rule(implementation = _impl, executable = True)
def _use(ctx):
    out = ctx.actions.declare_file("used")
    ctx.actions.run(outputs = [out], executable = ctx.executable.tool)
use = rule(implementation = _use, attrs = {"tool": attr.label(executable = True)})
"""
    graph = workspace(rules, 'load(":rules.bzl", "use")\nr(name = "x")\nuse(name = "u", tool = ":x")').analyse(
        "//:x", "//:u"
    )
    assert graph.targets[0].run is not None and graph.targets[0].run.arguments == ("mlbuild-out/prog",)
    assert isinstance(graph.actions[1], SpawnAction)
    assert graph.actions[1].arguments == ("mlbuild-out/prog",)
    assert graph.actions[1].inputs == graph.targets[0].files


MAP = """
def _each(template_ctx, input_directories, output_directories, additional_inputs, tools, additional_params):
    for file in input_directories["in"].children:
        out = template_ctx.declare_file(file.tree_relative_path + ".done", directory = output_directories["out"])
        args = template_ctx.args()
        args.add(file)
        template_ctx.run(
            outputs = [out], inputs = [file, additional_inputs["lock"]], executable = "t",
            arguments = [args, additional_params["mode"]], progress_message = "Doing " + file.basename, cpus = 2,
        )
"""


def test_map_directory_makes_a_spawn_for_each_member() -> None:
    _, action = actions(
        """
source = ctx.actions.declare_directory("in")
ctx.actions.fetch(output = source, kind = "k")
out = ctx.actions.declare_directory("out")
ctx.actions.map_directory(
    input_directories = {"in": source}, additional_inputs = {"lock": ctx.file.lock}, output_directories = {"out": out},
    additional_params = {"mode": "fast"}, env = {"E": "1"}, mnemonic = "Each", implementation = _each,
)
""",
        '{"lock": attr.label(default = "//:lock", allow_single_file = True)}',
        extra=MAP,
        lock="",
    )
    assert isinstance(action, MapAction)
    label = Label("", "", "x")
    source, lock = action.inputs
    (out,) = action.outputs
    assert (source.path, lock.path, out.path) == ("mlbuild-out/in", "lock", "mlbuild-out/out")
    member = Artifact("mlbuild-out/in/p/1.csv", label, False, parent=source)
    assert action.expand({source: (member,)}) == (
        SpawnAction(
            owner=label,
            mnemonic="Each",
            arguments=("t", "mlbuild-out/in/p/1.csv", "fast"),
            outputs=(Artifact("mlbuild-out/out/p/1.csv.done", label, False, parent=out),),
            inputs=(member, lock),
            environment=(("E", "1"),),
            resources=Resources(2),
            progress_message="Doing 1.csv",
        ),
    )
    assert action.expand({source: ()}) == ()


def test_depsets_may_be_deep_and_are_flattened_once_each() -> None:
    rules = """
def _impl(ctx):
    return [DefaultInfo(files = depset(ctx.files.srcs, transitive = [dep.files for dep in ctx.attr.deps]))]
r = rule(implementation = _impl, attrs = {"srcs": attr.label_list(allow_files = True), "deps": attr.label_list()})
"""
    lines = ['r(name = "t0", srcs = ["f"])'] + [
        f'r(name = "t{i}", srcs = ["f"], deps = [":t{i - 1}"])' for i in range(1, 5000)
    ]
    graph = workspace(rules, "\n".join(lines), f="").analyse("//:t4999")
    assert [artifact.path for artifact in graph.targets[0].files] == ["f"]
