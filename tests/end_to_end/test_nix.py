"""Tools out of a real Nix store. A derivation is built offline, in a store of the test's own; nothing is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mlbuild.fetch.host_tools import plan_host_tools
from mlbuild.fetch.tree import HostFile, Link
from tests.end_to_end.command import Ended, mlbuild_ends

pytestmark = pytest.mark.skipif(shutil.which("nix-store") is None, reason="Nix (nix-store) is not installed")

EXPRESSION = """\
{{ system }}:
let
  shell = builtins.appendContext "{shell}" {{ "{shell}" = {{ path = true; }}; }};
  run = "${{shell}}/lib/ld.so --library-path ${{shell}}/lib ${{shell}}/bin";
in derivation {{
  name = "greet";
  inherit system;
  builder = "${{shell}}/lib/ld.so";
  args = [ "--library-path" "${{shell}}/lib" "${{shell}}/bin/sh" "-c" ''
    ${{run}}/mkdir -p $out/bin
    echo '#!${{shell}}/bin/sh' > $out/bin/greet
    echo 'echo {word} from the Nix store' >> $out/bin/greet
    ${{run}}/chmod 755 $out/bin/greet
  '' ];
}}
"""

BUILD = """\
nix_toolchain(name = "greet", expr = "greet.nix")
genrule(name = "greeting", outs = ["greeting.txt"], tools = [":greet"], cmd = "greet > $@; ls /nix/store | wc -l >> $@")
"""


class Store:
    """A Nix store that is nobody else's, and what it takes to use it."""

    def __init__(self, folder: Path) -> None:
        (folder / "home").mkdir(parents=True)
        self.variables = {
            "NIX_REMOTE": str(folder / "root"),
            "NIX_CONFIG": "substituters =\nbuild-users-group =\nsandbox = false",
            "HOME": str(folder / "home"),
        }
        self._folder = folder

    def shell(self) -> str:
        """A path with `sh`, what a derivation needs, and their libraries: those of this host."""
        place = self._folder / "shell"
        for path, piece in plan_host_tools(("sh", "mkdir", "chmod"), ()).pieces.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            if isinstance(piece, HostFile):
                shutil.copyfile(piece.path, place / path)
                (place / path).chmod(0o755 if piece.is_executable else 0o644)
            elif isinstance(piece, Link):
                (place / path).symlink_to(piece.target)
        done = subprocess.run(
            ["nix-store", "--add", place],
            env={**os.environ, **self.variables},
            capture_output=True,
            check=True,
            timeout=60,
        )
        return done.stdout.decode().strip()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "nix")


@pytest.fixture
def workspace(tmp_path: Path, store: Store) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "WORKSPACE.ml").write_text('workspace(name = "nix")\n', encoding="utf-8")
    (folder / "BUILD.ml").write_text(BUILD, encoding="utf-8")
    (folder / "greet.nix").write_text(EXPRESSION.format(shell=store.shell(), word="hello"), encoding="utf-8")
    return folder


def build(workspace: Path, tmp_path: Path, store: Store | None) -> Ended:
    """With that store, or without Nix anywhere on the `PATH`."""
    variables = {"PATH": str(tmp_path)} if store is None else store.variables
    return mlbuild_ends(workspace, tmp_path / "cache", "build", "//:greeting", **variables)


def greeting(workspace: Path) -> list[str]:
    return (workspace / "mlbuild-out" / "greeting.txt").read_text(encoding="utf-8").splitlines()


def test_a_derivation_becomes_a_tool_that_needs_no_nix_afterwards(
    workspace: Path, tmp_path: Path, store: Store
) -> None:
    done = build(workspace, tmp_path, store)
    assert (done.code, done.ran) == (0, 2), done.said
    # Its closure is there, and nothing else of the Nix store.
    assert greeting(workspace) == ["hello from the Nix store", "2"]

    # The same by whoever has the cache and no Nix.
    shutil.rmtree(tmp_path / "nix", ignore_errors=True)
    mlbuild_ends(workspace, tmp_path / "cache", "clean")
    again = build(workspace, tmp_path, None)
    assert (again.code, again.ran) == (0, 0), again.said
    assert greeting(workspace) == ["hello from the Nix store", "2"]


def test_another_expression_is_another_tool(workspace: Path, tmp_path: Path, store: Store) -> None:
    assert build(workspace, tmp_path, store).code == 0
    text = (workspace / "greet.nix").read_text(encoding="utf-8")
    (workspace / "greet.nix").write_text(text.replace("echo hello", "echo servus"), encoding="utf-8")
    refused = build(workspace, tmp_path, None)
    assert refused.code != 0
    assert "error[no-nix]: this machine has neither `nix-store` nor `nix-portable`" in refused.said
    done = build(workspace, tmp_path, store)
    assert (done.code, done.ran) == (0, 2), done.said
    assert greeting(workspace)[0] == "servus from the Nix store"


def test_bytes_that_come_out_the_same_run_nothing_again(workspace: Path, tmp_path: Path, store: Store) -> None:
    assert build(workspace, tmp_path, store).code == 0
    with (workspace / "greet.nix").open("a", encoding="utf-8") as file:
        file.write("# a comment\n")
    done = build(workspace, tmp_path, store)
    assert (done.code, done.ran) == (0, 1), done.said


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("import <nixpkgs> { }", "pure evaluation mode"),
        ("{ a", "syntax error"),
        ("3", "does not evaluate to a derivation"),
    ],
)
def test_an_expression_that_nix_refuses_is_told_in_its_words(
    expression: str, says: str, workspace: Path, tmp_path: Path, store: Store
) -> None:
    (workspace / "greet.nix").write_text(expression, encoding="utf-8")
    done = build(workspace, tmp_path, store)
    assert done.code == 1
    assert "error[bad-nix-expression]: Nix cannot evaluate `greet.nix`" in done.said
    assert says in done.said
