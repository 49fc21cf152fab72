"""`--keep_going`: what is not touched by a fault is built."""

from tests.end_to_end.conftest import Workspace

GOOD = 'genrule(name = "good", outs = ["good.txt"], cmd = "echo good > $@")\n'


def test_a_package_that_does_not_load_does_not_hold_back_the_others(workspace: Workspace) -> None:
    workspace.write("a/BUILD.ml", GOOD)
    workspace.write("b/BUILD.ml", "genrul(name = 'x')\n")
    workspace.write("c/BUILD.ml", 'filegroup(name = "files", srcs = ["absent.txt"])\n')
    done = workspace.build("//...", flags=("--keep_going",))
    assert done.code == 1
    assert workspace.output("a/good.txt").read_text() == "good\n"
    assert "b/BUILD.ml:1:1: error[undefined-name]" in done.warnings
    assert "c/BUILD.ml:1:1: error[no-such-file]" in done.warnings
    assert not workspace.copy_to(workspace.folder.parent / "again").build("//...").targets


def test_an_action_that_fails_does_not_hold_back_the_others(workspace: Workspace) -> None:
    bad = 'genrule(name = "bad", outs = ["bad.txt"], cmd = "echo no >&2; exit 3")\n'
    after = 'genrule(name = "after", srcs = [":bad.txt"], outs = ["after.txt"], cmd = "cp $< $@")\n'
    workspace.write("BUILD.ml", bad + after + GOOD)
    done = workspace.build("//...", flags=("--keep_going",))
    assert done.code == 1
    assert (done.finished.ran, done.finished.failed, done.finished.skipped) == (1, 1, 1)
    assert workspace.output("good.txt").read_text() == "good\n"
    assert "exit code 3\nno\n" in done.failures
