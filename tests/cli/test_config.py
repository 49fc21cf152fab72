"""What argv, rc files and the environment mean."""

from pathlib import Path

import pytest

from mlbuild.config import BuildRequest, build_request, find_command
from mlbuild.diagnostics import UserError, render


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    (folder / "models").mkdir(parents=True)
    (folder / "WORKSPACE.ml").write_text("")
    (tmp_path / "home").mkdir()
    return folder


def ask(workspace: Path, *argv: str, folder: str = "", **environ: str) -> BuildRequest:
    return build_request(argv, {"HOME": str(workspace.parent / "home"), **environ}, workspace / folder)


def complaint(workspace: Path, *argv: str) -> str:
    with pytest.raises(UserError) as caught:
        ask(workspace, *argv)
    assert int(caught.value.exit_code) == 2
    return "\n".join(map(render, caught.value.diagnostics))


def test_the_workspace_is_the_nearest_folder_upwards_with_its_file(workspace: Path) -> None:
    request = ask(workspace, "build", ":ranker", folder="models")
    assert (request.workspace, request.package, request.words) == (workspace, "models", (":ranker",))


def test_outside_a_workspace_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        build_request(("build", "//..."), {"HOME": "/"}, tmp_path)
    assert 'workspace(name = "NAME")' in render(caught.value.diagnostics[0])
    assert int(caught.value.exit_code) == 2


def test_dashes_and_underscores_are_the_same_and_a_boolean_has_a_no(workspace: Path) -> None:
    assert ask(workspace, "build", "--keep-going", "//x").keep_going
    assert not ask(workspace, "build", "-k", "--nokeep_going", "//x").keep_going
    assert ask(workspace, "build", "--keep_going=true", "//x").keep_going
    assert not ask(workspace, "build", "--noblock_for_lock", "//x").block_for_lock


def test_a_value_may_follow_its_flag_or_an_equals_sign(workspace: Path) -> None:
    assert ask(workspace, "build", "--jobs", "3", "//x").jobs == 3
    assert ask(workspace, "build", "--jobs=3", "//x").jobs == 3


def test_an_unknown_flag_has_a_hint(workspace: Path) -> None:
    assert complaint(workspace, "build", "--keep_goin") == (
        "error[command-line]: `build` has no flag `--keep_goin`\n  hint: did you mean `--keep_going`?"
    )


def test_a_value_that_is_no_number_is_said(workspace: Path) -> None:
    assert complaint(workspace, "build", "--jobs=many") == (
        "error[command-line]: `--jobs=many`: `many` is not a number from 1"
    )


def test_an_unknown_command_has_a_hint() -> None:
    with pytest.raises(UserError) as caught:
        find_command(("tets",))
    assert render(caught.value.diagnostics[0]) == (
        "error[unknown-command]: mlbuild has no command `tets`\n  hint: did you mean `mlbuild test`?"
    )


def test_a_subtracted_pattern_is_no_flag(workspace: Path) -> None:
    assert ask(workspace, "build", "//...", "-//models:slow").words == ("//...", "-//models:slow")


def test_what_follows_two_dashes_is_kept_apart(workspace: Path) -> None:
    assert ask(workspace, "run", "//tools:serve", "--", "--port", "80").rest == ("--port", "80")


def test_rc_files_are_read_from_the_home_then_the_workspace_then_the_command_line(workspace: Path) -> None:
    (workspace.parent / "home/.mlbuildrc").write_text("build --jobs=1 --keep_going\n")
    (workspace / ".mlbuildrc").write_text("# ours\nbuild --jobs=2 \\\n  --define=a='b c'\n")
    request = ask(workspace, "build", "//x")
    assert (request.jobs, request.keep_going, request.defines) == (2, True, {"a": "b c"})
    assert ask(workspace, "build", "--jobs=5", "//x").jobs == 5


def test_test_and_run_inherit_the_lines_of_build_and_pass_over_what_they_do_not_know(workspace: Path) -> None:
    (workspace / ".mlbuildrc").write_text("build --jobs=2\ntest --test_output=all\ncommon --keep_going\n")
    assert ask(workspace, "test", "//x").jobs == 2
    assert ask(workspace, "test", "//x").test_output == "all"
    assert ask(workspace, "info").words == ()


def test_a_config_adds_its_lines(workspace: Path) -> None:
    (workspace / ".mlbuildrc").write_text("build:ci --jobs=7 --config=quiet\nbuild:quiet --noshow_progress\n")
    request = ask(workspace, "build", "--config=ci", "//x")
    assert (request.jobs, request.show_progress) == (7, False)
    assert ask(workspace, "build", "//x").show_progress


def test_an_unknown_config_has_a_hint(workspace: Path) -> None:
    (workspace / ".mlbuildrc").write_text("build:release --jobs=7\n")
    assert complaint(workspace, "build", "--config=relase", "//x").endswith("did you mean `--config=release`?")


def test_imports_are_followed_and_a_circle_is_said(workspace: Path) -> None:
    (workspace / "team.rc").write_text("build --jobs=9\n")
    (workspace / ".mlbuildrc").write_text("import %workspace%/team.rc\ntry-import %workspace%/absent.rc\n")
    assert ask(workspace, "build", "//x").jobs == 9
    (workspace / "team.rc").write_text("import %workspace%/.mlbuildrc\n")
    assert "imports itself" in complaint(workspace, "build", "//x")


def test_an_import_of_an_impossible_name_is_not_there(workspace: Path) -> None:
    (workspace / ".mlbuildrc").write_text(f"try-import {'a' * 300}\n")
    assert ask(workspace, "build", "//x").jobs > 0
    (workspace / ".mlbuildrc").write_text(f"import {'a' * 300}\n")
    assert "does not exist" in complaint(workspace, "build", "//x")


def test_a_nul_byte_in_an_rc_file_is_said(workspace: Path) -> None:
    (workspace / ".mlbuildrc").write_bytes(b"try-import \0x\n")
    assert ".mlbuildrc:1: the line holds a NUL byte" in complaint(workspace, "build", "//x")


def test_a_mistake_in_an_rc_file_has_its_place(workspace: Path) -> None:
    (workspace / ".mlbuildrc").write_text("\nbiuld --jobs=9\n")
    assert complaint(workspace, "build", "//x") == (
        f"error[rc-file]: {workspace}/.mlbuildrc:2: a line begins with a command, and `biuld` is none\n"
        "  hint: did you mean `build`?"
    )


def test_the_cache_is_in_the_users_cache_folder_unless_a_flag_says_otherwise(workspace: Path) -> None:
    assert ask(workspace, "build", "//x").cache_folder == workspace.parent / "home/.cache/mlbuild"
    assert ask(workspace, "build", "//x", XDG_CACHE_HOME="/shared").cache_folder == Path("/shared/mlbuild")
    assert ask(workspace, "build", "--disk_cache=c", "//x").cache_folder == workspace / "c"


def test_without_a_home_there_is_a_message(workspace: Path) -> None:
    with pytest.raises(UserError) as caught:
        build_request(("build", "//x"), {}, workspace)
    assert int(caught.value.exit_code) == 36
    assert "--disk_cache" in render(caught.value.diagnostics[0])
