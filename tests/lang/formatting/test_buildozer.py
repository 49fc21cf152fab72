"""buildozer edits BUILD.ml files, which stay formatted and load: with the program itself, where npm can install it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mlbuild.cli import main
from mlbuild.lang.formatting import Kind, format_text
from tests.lang.formatting.buildifier import install
from tests.lang.formatting.texts import own_files

pytestmark = pytest.mark.slow

BUILD = """\
# What we sell.
filegroup(
    name = "tables",
    srcs = ["a.csv"],  # The first.
)
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return install("buildozer", tmp_path_factory.mktemp("buildozer"))
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"buildozer cannot be installed by npm: {error}")


class Shop:
    """A workspace with one package, and buildozer to edit it."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.program, self._folder = program, folder
        self.file = folder / "shop" / "BUILD.ml"
        self.file.parent.mkdir()
        self.file.write_text(BUILD)
        (folder / "WORKSPACE.ml").write_text('workspace(name = "shop")\n')
        (folder / "shop" / "names.bzl").write_text(
            'NAME = "kept"\n\ndef group(name):\n    native.filegroup(name = name)\n'
        )
        for name in ("a.csv", "b.csv"):
            (folder / "shop" / name).write_text("")

    def edit(self, *commands: str, target: str = "shop/BUILD.ml:tables") -> str:
        """The BUILD file after the commands, which is formatted."""
        subprocess.run([self.program, "-quiet", *commands, target], cwd=self._folder, check=True, timeout=60)
        text = self.file.read_text()
        assert format_text(text, Kind.BUILD) == text
        return text

    def targets(self, capfd: pytest.CaptureFixture[str]) -> list[str]:
        """The package's rules as mlbuild loads them."""
        capfd.readouterr()
        environ = {"HOME": os.devnull, "XDG_CACHE_HOME": str(self._folder / "cache")}
        assert main(["query", "//shop:all", "--output=label_kind"], environ) == 0
        return capfd.readouterr().out.splitlines()


@pytest.fixture
def shop(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path, program)


def test_a_file_is_named_by_its_path_and_the_target(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    text = shop.edit("add srcs //shop:b.csv z.csv", target="//shop/BUILD.ml:tables")
    assert (
        text
        == """\
# What we sell.
filegroup(
    name = "tables",
    srcs = [
        "a.csv",
        "z.csv",
        ":b.csv",
    ],  # The first.
)
"""
    )
    text = shop.edit("remove srcs z.csv :b.csv")
    assert text == BUILD
    assert shop.targets(capfd) == ["filegroup rule //shop:tables"]


def test_attributes_are_set_renamed_and_removed(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    text = shop.edit("set testonly True", "set tags old new", "set_if_absent visibility //visibility:public")
    assert text.endswith(
        """    name = "tables",
    testonly = True,
    srcs = ["a.csv"],  # The first.
    tags = [
        "new",
        "old",
    ],
    visibility = ["//visibility:public"],
)
"""
    )
    text = shop.edit("remove testonly", "remove tags", "set visibility //visibility:private", "set name pictures")
    assert 'name = "pictures"' in text and "testonly" not in text and "tags" not in text
    text = shop.edit("rename srcs data", target="shop/BUILD.ml:pictures")
    assert '    data = ["a.csv"],  # The first.\n' in text
    shop.edit("rename data srcs", target="shop/BUILD.ml:pictures")
    assert shop.targets(capfd) == ["filegroup rule //shop:pictures"]


def test_targets_and_loads_are_added_and_deleted(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    package = "shop/BUILD.ml:__pkg__"
    text = shop.edit("new_load :names.bzl group", "new group more before tables", target=package)
    assert text == f'load(":names.bzl", "group")\n\ngroup(name = "more")\n\n{BUILD}'
    assert shop.targets(capfd) == ["filegroup rule //shop:more", "filegroup rule //shop:tables"]
    shop.edit("delete", target="shop/BUILD.ml:more")
    assert shop.edit("fix unusedLoads", target=package) == BUILD


def test_what_comes_in_goes_out_edited(shop: Shop) -> None:
    command = [shop.program, "set name pictures", "-:tables"]
    done = subprocess.run(command, input=BUILD, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3  # it changed no file
    assert done.stdout == BUILD.replace("tables", "pictures")


def test_rules_of_this_repository_are_found(shop: Shop) -> None:
    """buildozer reads our own BUILD files: every call that has a name is a rule of its kind."""
    for file in own_files():
        if file.name == "BUILD.ml":
            command = [shop.program, "-quiet", "print name kind", "-:*"]
            done = subprocess.run(
                command, input=file.read_text(), capture_output=True, text=True, check=False, timeout=60
            )
            assert done.returncode == 0, (file, done.stderr)
