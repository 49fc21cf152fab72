"""Kept packages are what evaluation gives, as long as everything that the evaluation saw is as it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlbuild.diagnostics import UserError
from mlbuild.files.memory import MemorySourceTree
from mlbuild.lang import ProgramCache
from mlbuild.loading import Defaults, Keeper, Loader, Package
from mlbuild.seams import EntryKind
from mlbuild.store import MemoryStore
from mlbuild.terms import Label, Target
from mlbuild.terms.event import Warned
from mlbuild.testing.workspace import MemoryWorkspace

ROOT = Path(__file__).parents[2]
FILES = {
    "WORKSPACE.ml": 'workspace(name = "w")',
    "defs.bzl": """
load(":inner.bzl", "DEPENDENCY", "plain")
def both(name, **kwargs):
    plain(name = name + "_a", deps = [DEPENDENCY], **kwargs)
    plain(name = name + "_b", deps = [":" + name + "_a", Label("//lib:x")], **kwargs)
""",
    "inner.bzl": """
DEPENDENCY = "//lib"
def _implementation(ctx):
    return []
plain = rule(implementation = _implementation, attrs = {
    "deps": attr.label_list(), "srcs": attr.label_list(allow_files = True), "text": attr.string(), "numbers": attr.int_list(),
    "table": attr.string_list_dict(), "any": attr.json(), "on": attr.bool(), "rate": attr.float(), "out": attr.output(),
    "keyed": attr.label_keyed_string_dict(),
}, outputs = {"log": "%{name}.log"})
""",
    "lib/BUILD.ml": 'load("//:inner.bzl", "plain")\nplain(name = "lib")\nplain(name = "x")\nexports_files(["data.csv"])',
    "lib/data.csv": "1",
    "app/BUILD.ml": """
load("//:defs.bzl", "both")
load("//:inner.bzl", "plain")
package(default_visibility = ["//visibility:public"])
both("m", srcs = glob(["*.py", "sub/**"], allow_empty = True), tags = ["a"])
config_setting(name = "fast", define_values = {"speed": "fast"})
plain(
    name = "all",
    text = select({":fast": "f", "//conditions:default": "s"}) + "é",
    numbers = [1, 2],
    table = {"k": ["a", "b"]},
    any = {"a": [1, 2.5, None, {"b": True}], "n": -1},
    on = True,
    rate = 0.5,
    out = "made.txt",
    keyed = {":m_a": "one", "//lib:lib": "two"},
    srcs = subpackages(["*"], allow_empty = True),
    visibility = ["//lib:__pkg__"],
)
""",
    "app/a.py": "a",
    "app/sub/b.py": "b",
}


class Memory:
    """A keeper that counts."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.given = 0

    def read(self, key: str) -> bytes | None:
        found = self.kept.get(key)
        self.given += found is not None
        return found

    def write(self, key: str, body: bytes) -> None:
        self.kept[key] = body


def told(package: Package) -> object:
    """All that a package says, in values that can be compared."""
    return (
        package.repository,
        package.name,
        [target_told(target) for target in package.targets.values()],
        [(name, str(target.label)) for name, target in package.outputs.items()],
        package.exported,
    )


def target_told(target: Target) -> object:
    return (
        target.label,
        target.rule.module,
        target.rule.name,
        list(target.attributes.items()),
        [type(value) for value in target.attributes.values()],
        target.location,
        target.visibility,
        target.frames,
        target.tags,
        target.implicit_outputs,
    )


def load(files: Mapping[str, str], keeper: Keeper | None, *packages: str) -> list[object]:
    workspace = MemoryWorkspace(files, keeper=keeper)
    return [told(workspace.loader.package("", package)) for package in packages]


def test_a_kept_package_says_what_an_evaluated_one_says() -> None:
    memory = Memory()
    evaluated = load(FILES, None, "app", "lib")
    assert load(FILES, memory, "app", "lib") == evaluated
    assert (len(memory.kept), memory.given) == (2, 0)
    assert load(FILES, memory, "app", "lib") == evaluated
    assert memory.given == 2


def test_what_is_restored_is_not_evaluated() -> None:
    memory = Memory()
    load(FILES, memory, "app")
    workspace = MemoryWorkspace(FILES, keeper=memory)
    workspace.loader._modules.evaluate = lambda *_: pytest.fail("evaluated")  # type: ignore[method-assign]
    workspace.loader._workspace = MemoryWorkspace(FILES).loader.workspace()
    assert workspace.loader.package("", "app").targets.keys() == {"m_a", "m_b", "fast", "all"}
    assert workspace.loader.modules_of("", "app") == (Label("", "", "defs.bzl"), Label("", "", "inner.bzl"))


@pytest.mark.parametrize(
    "change",
    [
        {"app/BUILD.ml": FILES["app/BUILD.ml"].replace("rate = 0.5", "rate = 0.25")},
        {"inner.bzl": FILES["inner.bzl"].replace('"//lib"', '"//lib:x"')},
        {"defs.bzl": FILES["defs.bzl"].replace('"_b"', '"_c"')},
        {"inner.bzl": FILES["inner.bzl"].replace("%{name}.log", "%{name}.txt")},
        {"app/new.py": "n"},
        {"app/sub/deep/c.py": "c"},
        {"app/sub/BUILD.ml": ""},
        {"app/other/BUILD.ml": ""},
        {"WORKSPACE.ml": 'workspace(name = "v")'},
    ],
    ids=lambda change: ",".join(change),
)
def test_what_evaluation_saw_decides(change: dict[str, str]) -> None:
    memory = Memory()
    load(FILES, memory, "app", "lib")
    changed = FILES | change
    assert load(changed, memory, "app", "lib") == load(changed, None, "app", "lib")
    assert load(FILES, memory, "app", "lib") == load(FILES, None, "app", "lib")


def test_a_file_that_went_is_noticed() -> None:
    memory = Memory()
    load(FILES, memory, "app", "lib")
    for path, package in (("app/a.py", "app"), ("app/sub/b.py", "app")):
        less = {name: text for name, text in FILES.items() if name != path}
        assert load(less, memory, package) == load(less, None, package)
    without = {name: text for name, text in FILES.items() if name != "lib/data.csv"}
    with pytest.raises(UserError, match="has no file"):
        load(without, memory, "lib")


def test_a_module_that_comes_to_another_package_is_noticed() -> None:
    files = {
        "BUILD.ml": "",
        "tools/defs.bzl": 'def f(name):\n    native.alias(name = name, actual = Label(":x"))\n',
        "p/BUILD.ml": 'load("//tools:defs.bzl", "f")\nf(name = "a")',
    }
    memory = Memory()
    first = load(files, memory, "p")
    moved = files | {"tools/BUILD.ml": ""}
    assert load(moved, memory, "p") == load(moved, None, "p") != first


def test_a_prelude_that_comes_to_another_package_is_noticed() -> None:
    files: dict[str, bytes | str] = {
        "BUILD.ml": "",
        "tools/prelude.bzl": 'def f(name):\n    native.alias(name = name, actual = Label(":x"))\n',
        "p/BUILD.ml": 'f(name = "a")',
    }
    memory = Memory()

    def actual(more: dict[str, bytes | str]) -> object:
        tree = MemorySourceTree(files | more, MemoryStore())
        defaults = Defaults(prelude="tools/prelude.bzl", toolchains=())
        loader = Loader(tree, ProgramCache(None), None, defaults, memory)
        return loader.package("", "p").targets["a"].attributes["actual"]

    assert actual({}) == Label("", "", "x")
    assert actual({"tools/BUILD.ml": ""}) == Label("", "tools", "x")
    assert (actual({}), memory.given) == (Label("", "", "x"), 1)


def test_what_prints_is_told_each_time() -> None:
    files = {
        "m.bzl": 'load(":n.bzl", "n")\ndef f():\n    pass\n',
        "n.bzl": 'print("module")\nn = 1\n',
        "p/BUILD.ml": 'load("//:m.bzl", "f")\nf()\n',
        "q/BUILD.ml": 'print("package")\n',
    }
    memory = Memory()
    for _ in range(3):
        workspace = MemoryWorkspace(files, keeper=memory)
        workspace.loader.package("", "p")
        workspace.loader.package("", "q")
        printed = [event.diagnostic.message for event in workspace.events if isinstance(event, Warned)]
        assert printed == ["module", "package"]
    assert memory.kept == {}


def test_what_fails_is_told_each_time() -> None:
    memory = Memory()
    files = FILES | {"lib/BUILD.ml": 'load("//:inner.bzl", "plain")\nplain(name = "x", txt = "a")'}
    for _ in range(2):
        with pytest.raises(UserError, match="no attribute `txt`"):
            load(files, memory, "lib")
    assert memory.kept == {}


def test_a_rule_that_cannot_be_found_again_is_not_kept() -> None:
    files = {
        "m.bzl": "def _i(ctx):\n    return []\n_hidden = rule(implementation = _i)\ndef f(name):\n    _hidden(name = name)\n",
        "BUILD.ml": 'load("//:m.bzl", "f")\nf(name = "a")\n',
    }
    memory = Memory()
    assert load(files, memory, "") == load(files, memory, "") == load(files, None, "")
    assert memory.kept == {}


def test_another_evaluator_evaluates_anew_and_damage_is_no_entry() -> None:
    memory = Memory()
    load(FILES, memory, "lib")
    (key,) = memory.kept
    whole = memory.kept[key]
    for damaged in (b"", whole[:20], whole + whole):
        memory.kept[key] = damaged
        assert load(FILES, memory, "lib") == load(FILES, None, "lib")
    load(FILES | {"other/BUILD.ml": FILES["lib/BUILD.ml"].replace('exports_files(["data.csv"])', "")}, memory, "other")
    memory.kept[key] = next(body for name, body in memory.kept.items() if name != key)
    assert load(FILES, memory, "lib") == load(FILES, None, "lib")


class Locked(MemorySourceTree):
    """A tree with one folder that cannot be listed."""

    def list(self, path: str) -> tuple[tuple[str, EntryKind], ...]:
        if path == "app/sub":
            raise PermissionError(13, "Permission denied")
        return super().list(path)


def test_a_folder_that_cannot_be_listed_any_more_is_told_at_the_glob() -> None:
    memory = Memory()
    files: dict[str, bytes | str] = {"app/BUILD.ml": 'exports_files(\n    glob(["sub/*"]),\n)', "app/sub/b.py": "b"}
    MemoryWorkspace(files, keeper=memory).loader.package("", "app")
    assert len(memory.kept) == 1
    workspace = MemoryWorkspace({}, sources=Locked(files, MemoryStore()), keeper=memory)
    with pytest.raises(UserError) as caught:
        workspace.loader.package("", "app")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.message) == ("unreadable-folder", "cannot list `app/sub`: Permission denied")
    assert diagnostic.location is not None
    assert (diagnostic.location.path, diagnostic.location.line) == ("app/BUILD.ml", 2)


@pytest.mark.parametrize("example", ["flights", "hello"])
def test_the_examples_packages_are_kept(example: str) -> None:
    folder = ROOT / "examples" / example
    files = {
        path.relative_to(folder).as_posix(): path.read_text(errors="replace")
        for path in folder.rglob("*")
        if path.is_file()
        and "mlbuild-out" not in path.parts
        and path.suffix in (".ml", ".bzl", ".py", ".txt", ".csv", ".lock")
    }
    packages = [path.rpartition("/")[0] for path in files if path.endswith("BUILD.ml")]
    memory = Memory()
    results = []
    for keeper in (None, memory, memory):
        workspace = MemoryWorkspace(files, rules=ROOT / "rules", keeper=keeper)
        results.append([told(workspace.loader.package("", package)) for package in packages])
    assert results[0] == results[1] == results[2]
    assert memory.given == len(memory.kept) == len(packages) > 0
