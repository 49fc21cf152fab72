"""Whatever a person gets wrong, or the machine lacks: one clear message with a place, an exit code, never a traceback.

Every message is here in full, as it is printed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.end_to_end.command import Ended, environment, mlbuild_ends, words
from tests.end_to_end.conftest import Workspace

GOOD = 'genrule(name = "good", outs = ["good.txt"], cmd = "echo good > $@")\n'


def rule(name: str, srcs: str, outs: str = "") -> str:
    return f'genrule(name = "{name}", srcs = [{srcs}], outs = ["{outs or name}.txt"], cmd = "true")\n'


CASES: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    "a bracket that is not closed": (
        {"BUILD.ml": "genrule(name = 'a'\n"},
        "//...",
        """
BUILD.ml:1:8: error[unclosed-bracket]: '(' was never closed
    genrule(name = 'a'
           ^
  hint: close it with `)`
""",
    ),
    "half an expression in a module": (
        {"BUILD.ml": 'load(":x.bzl", "f")\nf()\n', "x.bzl": "def f():\n  return 1 +\n"},
        "//...",
        """
x.bzl:2:13: error[syntax]: syntax error at 'newline': expected an expression after `+`
      return 1 +
                ^
  hint: an expression goes on in the next line only in brackets
""",
    ),
    "a rule that there is not": (
        {"BUILD.ml": "modle(name = 'a')\n"},
        "//:a",
        """
BUILD.ml:1:1: error[undefined-name]: name 'modle' is not defined
    modle(name = 'a')
    ^
  hint: did you mean `model`?
""",
    ),
    "an attribute that there is not": (
        {"BUILD.ml": "genrule(name = 'a', cmdd = 'x', outs = ['o'])\n"},
        "//:a",
        """
BUILD.ml:1:1: error[unknown-attribute]: `genrule` has no attribute `cmdd`
    genrule(name = 'a', cmdd = 'x', outs = ['o'])
    ^
  hint: did you mean `cmd`?
""",
    ),
    "an attribute that has to be there": (
        {"BUILD.ml": "genrule(name = 'a', cmd = 'x')\n"},
        "//:a",
        """
BUILD.ml:1:1: error[missing-attribute]: `//:a` needs the attribute `outs` of `genrule`
    genrule(name = 'a', cmd = 'x')
    ^
  hint: `outs`: the files that the command makes
""",
    ),
    "a label of no target": (
        {"BUILD.ml": rule("a", '":good"') + rule("goods", "")},
        "//:a",
        """
BUILD.ml:1:1: error[no-such-target]: package `//` has no target `good`
    genrule(name = "a", srcs = [":good"], outs = ["a.txt"], cmd = "true")
    ^
  hint: did you mean `//:goods`?
""",
    ),
    "a label into no package": (
        {"BUILD.ml": rule("a", '"//nowhere:x"')},
        "//:a",
        """
BUILD.ml:1:1: error[no-such-package]: no package `//nowhere`: there is no such folder
    genrule(name = "a", srcs = ["//nowhere:x"], outs = ["a.txt"], cmd = "true")
    ^
""",
    ),
    "targets in a circle": (
        {"BUILD.ml": rule("a", '":b"') + rule("b", '":c"') + rule("c", '":a"')},
        "//:b",
        """
BUILD.ml:2:1: error[dependency-cycle]: targets depend on each other in a circle
    genrule(name = "b", srcs = [":c"], outs = ["b.txt"], cmd = "true")
    ^
  `//:b`
  -> `//:c`
  -> `//:a`
  -> `//:b`
  hint: one of these dependencies must go, or the targets become one
""",
    ),
    "modules in a circle": (
        {"BUILD.ml": 'load(":x.bzl", "f")\n', "x.bzl": 'load(":y.bzl", "g")\n', "y.bzl": 'load(":x.bzl", "f")\n'},
        "//...",
        """
y.bzl:1:1: error[load-cycle]: modules load each other in a circle
    load(":x.bzl", "f")
    ^
  `x.bzl` -> `y.bzl` -> `x.bzl`
  hint: move what both need into a third module
""",
    ),
    "a glob that matches nothing": (
        {"BUILD.ml": 'filegroup(name = "g", srcs = glob(["*.csv"]))\n'},
        "//...",
        """
BUILD.ml:1:30: error[glob-matches-nothing]: glob pattern `*.csv` matches nothing in package `//`
    filegroup(name = "g", srcs = glob(["*.csv"]))
                                 ^
  hint: correct the pattern, or add `allow_empty = True` if that may be
""",
    ),
    "two owners of one output": (
        {"BUILD.ml": rule("a", "", "o") + rule("b", "", "o")},
        "//:b",
        """
BUILD.ml:2:1: error[two-owners]: output `o` has two owners: `//:a` and `//:b`
    genrule(name = "b", srcs = [], outs = ["o.txt"], cmd = "true")
    ^
  the first is at BUILD.ml:1:1
""".replace("`o`", "`o.txt`"),
    ),
    "an output inside another": (
        {"BUILD.ml": 'genrule(name = "a", outs = ["o"], cmd = "")\ngenrule(name = "b", outs = ["o/p"], cmd = "")\n'},
        "//...",
        """
BUILD.ml:2:1: error[two-owners]: output `mlbuild-out/o/p` lies inside output `mlbuild-out/o`: `//:b` and `//:a` cannot both be built
    genrule(name = "b", outs = ["o/p"], cmd = "")
    ^
  `//:a` is at BUILD.ml:1:1
  hint: give one of them another name
""",
    ),
    "a name that can be no name": (
        {"BUILD.ml": rule("a/../b", "")},
        "//...",
        """
BUILD.ml:1:1: error[bad-name]: `a/../b` cannot be the name of a target: `:a/../b` is no label: `..` cannot be a part of it
    genrule(name = "a/../b", srcs = [], outs = ["a/../b.txt"], cmd = "true")
    ^
""",
    ),
    "a pattern of no package": (
        {"BUILD.ml": GOOD},
        "//nowhere",
        "\nerror[no-such-package]: no package `//nowhere`: there is no such folder\n",
    ),
    "a pattern of no target": (
        {"BUILD.ml": GOOD},
        "//:god",
        "\nerror[no-such-target]: package `//` has no target `god`\n  hint: did you mean `//:good`?\n",
    ),
    "a pattern of nothing below": (
        {"BUILD.ml": GOOD, "empty/file": ""},
        "//empty/...",
        "\nerror[no-such-package]: `//empty/...` finds no package\n  hint: add `empty/BUILD.ml`\n",
    ),
    "no pattern at all": (
        {"BUILD.ml": GOOD},
        "../...",
        """
error[bad-pattern]: `../...` is no target pattern: `//..:all` is no label: `..` cannot be a part of it
  hint: write `//package:target`, `//package:all` or `//package/...`
""",
    ),
    "a mistake in the workspace's file": (
        {"BUILD.ml": GOOD, "WORKSPACE.ml": 'workspace(name = "a")\nworkspce()\n'},
        "//...",
        """
WORKSPACE.ml:2:1: error[undefined-name]: name 'workspce' is not defined
    workspce()
    ^
  hint: did you mean `workspace`?
""",
    ),
    "an output as a source": (
        {"BUILD.ml": rule("a", '"mlbuild-out/x"'), "mlbuild-out/x": "1"},
        "//:a",
        """
mlbuild-out/BUILD.ml: error[output-as-input]: `mlbuild-out/BUILD.ml` lies in `mlbuild-out/`, which holds copies of outputs and is never an input
  hint: name the target that makes the file instead
""",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_in_the_workspace(shell_workspace: Workspace, case: str) -> None:
    files, pattern, wanted = CASES[case]
    for path, text in files.items():
        shell_workspace.write(path, text)
    done = shell_workspace.build(pattern)
    assert (done.errors + "\n", done.code) == (wanted.lstrip("\n"), 1)


def ends(workspace: Workspace, *arguments: str, **more: str) -> Ended:
    return mlbuild_ends(workspace.folder, workspace.cache, "build", *arguments, **more)


def test_no_workspace(tmp_path: Path) -> None:
    done = mlbuild_ends(tmp_path, tmp_path / "cache", "build", "//...")
    assert (done.code, done.said) == (
        2,
        f"error[no-workspace]: neither this folder nor any above it holds a file `WORKSPACE.ml`: {tmp_path}\n"
        '  hint: go to a workspace, or make this folder one: write `workspace(name = "NAME")` into `WORKSPACE.ml`\n',
    )


def test_a_mistake_is_printed_as_it_is_and_nothing_else(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", "modle(name = 'a')\n")
    done = ends(shell_workspace, "//...")
    assert (done.code, done.said) == (1, CASES["a rule that there is not"][2].lstrip("\n"))


def test_an_action_that_does_not_make_its_output(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", 'genrule(name = "a", outs = ["o", "p"], cmd = "echo x > $(location o)")\n')
    done = ends(shell_workspace, "//:a")
    assert done.code == 1
    assert done.lines[0] == "ERROR: //:a: Genrule failed: it ended well but did not write `mlbuild-out/p`"
    assert done.lines[2:-1] == ["Target //:a was not built", "ERROR: Build did NOT complete successfully"]
    assert not shell_workspace.output("o").exists()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("ln -s /etc/passwd $@", "`mlbuild-out/o` is a symbolic link, not a file"),
        ("mkdir $@", "`mlbuild-out/o` is a folder, but a file was declared"),
        (r"mkdir $@; touch $@/$$(printf 'a\\377')", r"`mlbuild-out/o` holds a file whose name is not UTF-8: b'a\xff'"),
        ("exit 9", "exit code 9"),
        ("kill -11 $$$$", "killed by SIGSEGV"),
    ],
)
def test_an_action_that_makes_something_else(shell_workspace: Workspace, command: str, why: str) -> None:
    shell_workspace.write("BUILD.ml", f'genrule(name = "a", outs = ["o"], cmd = "{command}")\n')
    done = ends(shell_workspace, "//:a")
    assert (done.code, done.lines[0]) == (1, f"ERROR: //:a: Genrule failed: {why}")


def test_a_link_to_a_folder_outside(shell_workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("secret\n")
    (shell_workspace.folder / "d").symlink_to(tmp_path / "outside")
    for sources, path in (('"d/x"', "d/BUILD.ml"), ('"d"', "d")):
        shell_workspace.write("BUILD.ml", rule("a", sources))
        done = ends(shell_workspace, "//:a")
        assert (done.code, done.said) == (
            1,
            f"{path}: error[path-outside-workspace]: `{path}` is reached through a link to `{tmp_path}/outside`, "
            "outside the workspace\n"
            "  hint: copy the file into the workspace, or fetch it with a pinned digest (`http_file`)\n",
        )


def test_a_name_that_is_not_utf8(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", 'filegroup(name = "g", srcs = glob(["data/*"]))\n')
    shell_workspace.write("data/a", "a")
    Path(os.fsdecode(os.fsencode(shell_workspace.folder) + b"/data/b\xff")).write_text("b")
    done = ends(shell_workspace, "//:g")
    assert (done.code, done.said) == (
        1,
        "BUILD.ml:1:30: error[name-not-utf8]: the folder `data` holds a name that is not UTF-8: b'b\\xff'\n"
        '    filegroup(name = "g", srcs = glob(["data/*"]))\n'
        "                                 ^\n"
        "  hint: rename the file\n",
    )


def test_a_lock_without_hashes(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", 'py_env(name = "env", lock = "req.lock")\n')
    shell_workspace.write("req.lock", "six==1.17.0\n")
    done = ends(shell_workspace, "//:env")
    assert done.code == 1
    assert "req.lock:1" in done.said and "`mlbuild lock`" in done.said


def test_a_wheel_that_is_not_what_its_hash_says(flights: Workspace) -> None:
    """The lock of the example, with the pins of its smallest package changed."""
    lock = flights.folder / "envs" / "requirements.lock"
    before, name, rest = lock.read_text().partition("narwhals==")
    assert name
    end = next((found.start() for found in re.finditer(r"^[a-z]", rest, re.MULTILINE)), len(rest))
    block = re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, rest[:end])
    lock.write_text(before + name + block + rest[end:])
    done = flights.build("//envs/...")
    assert done.code == 1
    zeros = "0" * 64
    assert done.failures.splitlines()[1].startswith(
        "error[wheel-hash-mismatch]: `narwhals==2.29.0` is not what `envs/requirements.lock` pins: "
        f"expected `sha256:{zeros}`, got `sha256:1c69b3dc30240f6e848c5a673cafc86affa44184ecce721e"
    )
    assert done.failures.splitlines()[2] == (
        "  hint: the index gave other bytes than when the lock was made: if that is wanted, run `mlbuild lock` again"
    )


def may_mount() -> bool:
    if os.getuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, timeout=30).returncode == 0


mounts = pytest.mark.skipif(not may_mount(), reason="mounts small disks, which only root may")
BIG = (
    'genrule(name = "a", srcs = ["in.txt"], outs = ["a.bin"], cmd = "head -c 3000000 /dev/zero > $@; cat $< >> $@")\n'
    'genrule(name = "b", srcs = [":a.bin"], outs = ["b.bin"], cmd = "cat $< > $@; echo b >> $@")\n'
)


def on_a_small_disk(workspace: Workspace, size: str, disk: str, script: str) -> Ended:
    """Runs a script with a small disk at `disk`, which goes with it; `$mlbuild` builds all."""
    first = f"mkdir -p {disk} && mount -t tmpfs -o {size} none {disk} || exit 99\n"
    mlbuild = " ".join(words(Path("$CACHE"), "build", "//..."))
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", first + script.replace("$mlbuild", mlbuild)], cwd=workspace.folder,
        env={**environment(workspace.cache), "CACHE": str(workspace.cache)}, capture_output=True, timeout=120,
    )  # fmt: skip
    said = done.stderr.decode()
    assert "Traceback" not in said and done.returncode != 99, said
    return Ended(done.returncode, said, done.stdout.decode())


@mounts
@pytest.mark.parametrize("size", ["size=16k", "size=1m", "size=20m", "size=33m", "nr_inodes=50", "nr_inodes=400"])
def test_a_full_disk_under_the_cache_and_then_space(shell_workspace: Workspace, tmp_path: Path, size: str) -> None:
    shell_workspace.write("BUILD.ml", BIG)
    shell_workspace.write("in.txt", "in\n")
    disk = tmp_path / "disk"
    done = on_a_small_disk(
        shell_workspace, size, str(disk),
        f"CACHE={disk}/c; $mlbuild; echo code $?; mount -o remount,size=200m,nr_inodes=100000 {disk}; $mlbuild && "
        "cat mlbuild-out/b.bin | tr -d '\\0'; ls $CACHE/tmp",
    )  # fmt: skip
    assert done.out == "code 36\nin\nb\n", done.said
    what = "remove files there (`df -i` counts them)" if "inodes" in size else "free some space"
    assert done.lines[1] == (
        f"  hint: {what} and run the same command again, or name a folder on another disk with `--disk_cache`"
    )
    assert done.lines[0] in (
        f"error[disk-full]: the disk that holds the cache folder `{disk}/c` has room, but for no more files",
        f"error[disk-full]: the disk that holds the cache folder `{disk}/c` is full",
        f"error[disk-full]: the disk that holds `{disk}/c/run` is full",
        f"error[disk-full]: the disk that holds `{disk}/c/run` has room, but for no more files",
    )


@mounts
def test_a_full_disk_under_the_workspace_and_then_space(shell_workspace: Workspace, tmp_path: Path) -> None:
    shell_workspace.write("BUILD.ml", BIG)
    shell_workspace.write("in.txt", "in\n")
    disk = tmp_path / "disk"
    done = on_a_small_disk(
        shell_workspace, "size=4m", str(disk),
        f"cp * {disk}; cd {disk}; $mlbuild; echo code $?; mount -o remount,size=200m {disk}; $mlbuild && "
        "cat mlbuild-out/b.bin | tr -d '\\0'; ls -A mlbuild-out",
    )  # fmt: skip
    assert done.out == "code 36\nin\nb\na.bin\nb.bin\n", done.said
    assert done.lines[:2] == [
        f"error[disk-full]: the disk is full: `{disk}/mlbuild-out/b.bin` could not be placed",
        "  hint: free some space and run the same command again: what was built is kept",
    ]
    assert "0 ran, 2 cached locally" in done.lines[-1]


@mounts
def test_a_cache_that_may_only_be_read(shell_workspace: Workspace, tmp_path: Path) -> None:
    shell_workspace.write("BUILD.ml", GOOD)
    disk = tmp_path / "disk"
    done = on_a_small_disk(
        shell_workspace, "size=200m", str(disk),
        f"CACHE={disk}/c; $mlbuild 2> /dev/null; mount -o remount,ro {disk}; $mlbuild; echo code $?",
    )  # fmt: skip
    said = f"warning[cache-read-only]: the cache folder `{disk}/c` cannot be written: what is made is kept in `"
    assert (done.out, done.said.count(said), done.said.startswith(said)) == ("code 0\n", 1, True)


def test_a_cache_folder_that_is_a_file(shell_workspace: Workspace, tmp_path: Path) -> None:
    shell_workspace.write("BUILD.ml", GOOD)
    (tmp_path / "file").write_text("")
    done = mlbuild_ends(shell_workspace.folder, tmp_path / "file", "build", "//...")
    assert (done.code, done.said) == (
        36,
        f"error[cache-folder]: the cache cannot be kept in `{tmp_path}/file`: `{tmp_path}/file` is not a folder\n"
        "  hint: name another folder with `--disk_cache`, or with XDG_CACHE_HOME\n",
    )


def test_a_cache_folder_that_cannot_be_made(shell_workspace: Workspace) -> None:
    shell_workspace.write("BUILD.ml", GOOD)
    done = subprocess.run(
        words(Path("/proc/none"), "build", "//..."), cwd=shell_workspace.folder,
        env=environment(shell_workspace.cache), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr.startswith("error[cache-")) == (36, True), done.stderr


def without_namespaces() -> tuple[str, ...]:
    script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    return ("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")


def may_forbid() -> bool:
    return (
        shutil.which("unshare") is not None
        and not subprocess.run([*without_namespaces(), "true"], capture_output=True, timeout=30).returncode
    )


@pytest.mark.skipif(not may_forbid(), reason="user namespaces are needed to take them away")
def test_a_machine_without_user_namespaces(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache" / "mlbuild")
    workspace.cache.mkdir(parents=True)
    workspace.write("WORKSPACE.ml", "")
    workspace.write("BUILD.ml", GOOD)
    done = mlbuild_ends(workspace.folder, workspace.cache, "build", "//...", before=without_namespaces())
    assert (done.code, done.said) == (
        36,
        "error[no-sandbox]: actions cannot be run hermetically on this machine: user namespaces are switched off\n"
        "  hint: run `sudo sysctl user.max_user_namespaces=15000`\n",
    )
    assert mlbuild_ends(workspace.folder, workspace.cache, "build", "//...").ran == 1
    again = mlbuild_ends(workspace.folder, workspace.cache, "build", "//...", before=without_namespaces())
    assert again.ran == 0  # what the cache answers needs no sandbox


def test_two_builds_at_once(shell_workspace: Workspace, tmp_path: Path) -> None:
    """Two in each of two workspaces, with one cache: all are right, and each pair works one after the other."""
    shell_workspace.write(
        "BUILD.ml",
        "".join(
            f'genrule(name = "t{n}", srcs = ["in.txt"], outs = ["{n}.txt"], cmd = "cat $< > $@; echo {n} >> $@")\n'
            for n in range(20)
        ),
    )
    shell_workspace.write("in.txt", "in\n" * 100_000)
    other = shell_workspace.copy_to(tmp_path / "other")
    processes = [
        subprocess.Popen(
            words(each.cache, "build", "//..."), cwd=each.folder, env=environment(each.cache),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for each in (shell_workspace, shell_workspace, other, other)
    ]  # fmt: skip
    for process in processes:
        said = process.communicate(timeout=120)[1]
        assert (process.returncode, "Traceback" in said, "warning" in said) == (0, False, False), said
    for each in (shell_workspace, other):
        for n in range(20):
            assert each.output(f"{n}.txt").read_text() == "in\n" * 100_000 + f"{n}\n"
    assert ends(other, "//...").ran == 0
