"""A build after an edit of any kind: never a stale output, whatever sizes and times say."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mlbuild.diagnostics import ExitCode
from mlbuild.files.last_build import RACY_NS
from tests.end_to_end.command import mlbuild_ends
from tests.end_to_end.conftest import Built, Workspace

COPY = 'genrule(name = "copy", srcs = ["in.txt"], outs = ["out.txt"], cmd = "cat $< > $@")\n'
ALL = 'genrule(name = "all", srcs = glob(["data/*"]), outs = ["all.txt"], cmd = "cat $(SRCS) > $@")\n'
FOLDER = 'genrule(name = "tree", srcs = ["data"], outs = ["tree.txt"], cmd = "cat $(SRCS)/* > $@")\n'


def settle(workspace: Workspace) -> None:
    """Lets the clock go on from the last change of a source, so that the answer of a build is kept."""
    youngest = max(path.lstat().st_ctime_ns for path in (workspace.folder, *workspace.folder.rglob("*")))
    while time.time_ns() < youngest + RACY_NS:
        time.sleep(0.001)


def builds(workspace: Workspace, *patterns: str) -> Built:
    done = workspace.build(*patterns)
    assert done.code == ExitCode.SUCCESS, done.errors + done.failures
    return done


def is_null(workspace: Workspace, *patterns: str) -> bool:
    """Whether the build is answered from what the last one left, without a phase."""
    return not any(type(event).__name__ == "PhaseStarted" for event in builds(workspace, *patterns).events)


def edit_in_place(path: Path, content: bytes) -> None:
    """The edit that is hardest to see: equal size, times set back, the same inode."""
    before = path.stat()
    assert len(content) == before.st_size
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path: Path, content: bytes) -> None:
    """As an archive or a checkout does: another inode, times set back."""
    before = path.stat()
    new = path.with_name("new")
    new.write_bytes(content)
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    new.replace(path)


def test_after_the_first_build_of_all_there_is_nothing_to_do(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", COPY)
    shell_workspace.write("in.txt", "one")
    assert not is_null(shell_workspace, "//...")
    assert is_null(shell_workspace, "//...")


def test_an_edit_within_a_tick_after_a_build_is_seen(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", COPY)
    source = shell_workspace.folder / "in.txt"
    source.write_text("begin\n")
    builds(shell_workspace, "//:copy")
    for number in range(50):
        text = f"{number:05}\n".encode()
        edit = (edit_in_place, replace, Path.write_bytes)[number % 3]
        edit(source, text)
        builds(shell_workspace, "//:copy")
        assert shell_workspace.output("out.txt").read_bytes() == text


def test_edits_while_builds_go_on_end_in_what_was_written_last(shell_workspace: Workspace) -> None:
    """No pause between an edit and the build before it, and each build twice, so that the second may be a null build."""
    shell_workspace.write("BUILD.ml", COPY + ALL)
    shell_workspace.write("data/a.txt", "0")
    source = shell_workspace.folder / "in.txt"
    for number in range(10):
        source.write_text(f"{number:03}")
        (shell_workspace.folder / "data" / "a.txt").write_text(f"{9 - number}")
        for _ in range(2):
            builds(shell_workspace, "//:copy", "//:all")
            assert shell_workspace.output("out.txt").read_text() == f"{number:03}"
            assert shell_workspace.output("all.txt").read_text() == f"{9 - number}"


@pytest.mark.parametrize("edit", [edit_in_place, replace])
@pytest.mark.parametrize("path", ["in.txt", "data/a.txt", "BUILD.ml", "names.bzl"])
def test_an_edit_of_equal_size_with_its_time_set_back_is_seen(
    shell_workspace: Workspace, path: str, edit: object
) -> None:
    shell_workspace.write("names.bzl", 'WORD = "one"\n')
    loads = 'load(":names.bzl", "WORD")\n'
    word = 'genrule(name = "word", outs = ["word.txt"], cmd = "echo " + WORD + " 1 > $@")\n'
    shell_workspace.write("BUILD.ml", loads + COPY + ALL + FOLDER + word)
    shell_workspace.write("in.txt", "one\n")
    shell_workspace.write("data/a.txt", "one\n")
    settle(shell_workspace)
    builds(shell_workspace, "//...")
    assert is_null(shell_workspace, "//...")
    place = shell_workspace.folder / path
    old, new = (b" 1 >", b" 2 >") if path == "BUILD.ml" else (b"one", b"two")
    assert callable(edit)
    edit(place, place.read_bytes().replace(old, new))
    builds(shell_workspace, "//...")
    said = "".join(shell_workspace.output(f"{name}.txt").read_text() for name in ("out", "all", "tree", "word"))
    assert (
        said
        == {
            "in.txt": "two\none\none\none 1\n",
            "data/a.txt": "one\ntwo\ntwo\none 1\n",
            "BUILD.ml": "one\none\none\none 2\n",
            "names.bzl": "one\none\none\ntwo 1\n",
        }[path]
    )


def test_a_touched_file_runs_nothing(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", COPY)
    shell_workspace.write("in.txt", "one\n")
    settle(shell_workspace)
    builds(shell_workspace, "//...")
    (shell_workspace.folder / "in.txt").touch()
    assert builds(shell_workspace, "//...").ran == []


def test_a_new_file_that_a_glob_matches_is_seen_and_a_removed_one_too(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", ALL + FOLDER)
    shell_workspace.write("data/b.txt", "b")
    settle(shell_workspace)
    builds(shell_workspace, "//...")
    assert is_null(shell_workspace, "//...")
    for change, wanted in (
        (lambda: shell_workspace.write("data/a.txt", "a"), "ab"),
        (lambda: (shell_workspace.folder / "data/b.txt").unlink(), "a"),
        (lambda: (shell_workspace.folder / "data/a.txt").rename(shell_workspace.folder / "data/c.txt"), "a"),
    ):
        change()
        settle(shell_workspace)
        builds(shell_workspace, "//...")
        assert shell_workspace.output("all.txt").read_text() == wanted
        assert shell_workspace.output("tree.txt").read_text() == wanted


def test_a_new_package_and_a_new_file_that_stands_before_an_output_are_seen(shell_workspace: Workspace) -> None:
    shell_workspace.write("a/BUILD.ml", COPY)
    shell_workspace.write("a/in.txt", "one\n")
    (shell_workspace.folder / "b").mkdir()
    settle(shell_workspace)
    builds(shell_workspace, "//...")
    assert is_null(shell_workspace, "//...")
    shell_workspace.write("b/BUILD.ml", COPY)
    shell_workspace.write("b/in.txt", "two\n")
    settle(shell_workspace)
    builds(shell_workspace, "//...")
    assert shell_workspace.output("b/out.txt").read_text() == "two\n"
    (shell_workspace.folder / "b/BUILD.ml").unlink()
    settle(shell_workspace)
    assert {*builds(shell_workspace, "//...").targets} == {"//a:copy"}


@pytest.mark.parametrize("harm", ["removed", "edited", "edited in place", "replaced", "a folder", "a link", "its mode"])
def test_an_output_that_was_touched_is_placed_again(shell_workspace: Workspace, harm: str, tmp_path: Path) -> None:
    shell_workspace.write("BUILD.ml", COPY)
    shell_workspace.write("in.txt", "one\n")
    settle(shell_workspace)
    builds(shell_workspace, "//...")
    assert is_null(shell_workspace, "//...")
    output = shell_workspace.output("out.txt")
    if output.stat().st_mode & 0o200 == 0:
        output.chmod(0o644)
    if harm == "edited":
        output.write_text("edited\n")
    elif harm == "edited in place":
        edit_in_place(output, b"two\n")
    elif harm == "replaced":
        replace(output, b"two\n")
    elif harm == "its mode":
        output.chmod(0o755)
    else:
        output.unlink()
        if harm == "a folder":
            (output / "inside").mkdir(parents=True)
        elif harm == "a link":
            (tmp_path / "elsewhere").write_text("precious\n")
            output.symlink_to(tmp_path / "elsewhere")
    assert builds(shell_workspace, "//...").ran == []
    assert (output.read_text(), output.is_symlink(), output.stat().st_mode & 0o111) == ("one\n", False, 0)
    if harm == "a link":
        assert (tmp_path / "elsewhere").read_text() == "precious\n"


def test_a_changed_flag_or_rc_file_is_seen(shell_workspace: Workspace) -> None:
    shell_workspace.write(
        "BUILD.ml",
        'config_setting(name = "big", define_values = {"size": "big"})\n'
        'genrule(name = "size", outs = ["size.txt"], '
        'cmd = select({":big": "echo big > $@", "//conditions:default": "echo small > $@"}))\n',
    )
    settle(shell_workspace)

    def size(*flags: str) -> str:
        done = mlbuild_ends(shell_workspace.folder, shell_workspace.cache, "build", *flags, "//:size")
        assert done.code == 0, done.said
        return shell_workspace.output("size.txt").read_text()

    assert [size(), size(), size("--define=size=big"), size("--define=size=big"), size()] == [
        "small\n", "small\n", "big\n", "big\n", "small\n",
    ]  # fmt: skip
    shell_workspace.write(".mlbuildrc", "build --define=size=big\n")
    assert size() == "big\n"
    shell_workspace.write(".mlbuildrc", "build:a --define=size=big\n")
    assert [size(), size("--config=a")] == ["small\n", "big\n"]


def test_another_build_between_two_does_not_leave_its_outputs_in_the_way(shell_workspace: Workspace) -> None:
    """`//:file` and `//part` want the same place as a file and as a folder; each command answers for its own."""
    shell_workspace.write("BUILD.ml", 'genrule(name = "file", outs = ["part"], cmd = "echo file > $@")\n')
    shell_workspace.write("part/BUILD.ml", 'genrule(name = "inside", outs = ["out"], cmd = "echo inside > $@")\n')
    settle(shell_workspace)
    for _ in range(3):
        builds(shell_workspace, "//:file")
        assert shell_workspace.output("part").read_text() == "file\n"
        builds(shell_workspace, "//part:inside")
        assert shell_workspace.output("part/out").read_text() == "inside\n"


def test_a_source_that_appears_or_goes_is_seen(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", 'filegroup(name = "files", srcs = ["in.txt"])\n' + COPY)
    shell_workspace.write("in.txt", "one\n")
    settle(shell_workspace)
    builds(shell_workspace, "//...")
    (shell_workspace.folder / "in.txt").unlink()
    done = shell_workspace.build("//...")
    assert (done.code, "in.txt" in done.errors) == (ExitCode.BUILD_FAILED, True)
    shell_workspace.write("in.txt", "two\n")
    builds(shell_workspace, "//...")
    assert shell_workspace.output("out.txt").read_text() == "two\n"


def test_a_link_that_leads_elsewhere_is_seen(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", COPY + ALL)
    for name in ("one", "two"):
        shell_workspace.write(f"{name}.txt", f"{name}\n")
        shell_workspace.write(f"folder_{name}/a.txt", f"{name}\n")
    file, folder = shell_workspace.folder / "in.txt", shell_workspace.folder / "data"
    file.symlink_to("one.txt")
    folder.symlink_to("folder_one")
    settle(shell_workspace)
    builds(shell_workspace, "//...")
    for link, target in ((file, "two.txt"), (folder, "folder_two")):
        link.unlink()
        link.symlink_to(target)
    builds(shell_workspace, "//...")
    assert [shell_workspace.output(f"{name}.txt").read_text() for name in ("out", "all")] == ["two\n", "two\n"]
