"""What leaves mlbuild works where it arrives: an image that is unpacked and entered, a kernel that is started as Jupyter does.

The package `ipykernel` here is a stand-in that says how it was started.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from mlbuild.sandbox.bubblewrap import candidates
from tests.end_to_end.command import environment, mlbuild_ends
from tests.fetch.conftest import wheel

BUILD = """\
py_env(name = "train", lock = "train.lock")
py_env(name = "bare")
"""
LAUNCHER = "import os, sys, words\nprint(words.WORD, sys.argv[1:], os.path.basename(os.getcwd()))\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "workspace"
    (folder / "notebooks").mkdir(parents=True)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    packages = {
        "words": {"words.py": "WORD = 'from the lock'\n"},
        "ipykernel": {"ipykernel_launcher.py": LAUNCHER},
    }
    lock = ""
    for name, files in packages.items():
        _, sha256 = wheel(tmp_path / "index", name, "1.0", files)
        lock += f"{name}==1.0 --hash=sha256:{sha256}\n"
    (folder / "WORKSPACE.ml").write_text('workspace(name = "exports")\n', encoding="utf-8")
    (folder / "BUILD.ml").write_text(BUILD, encoding="utf-8")
    (folder / "train.lock").write_text(lock, encoding="utf-8")
    return folder


def files_below(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unpacked(layout: Path, root: Path) -> dict[str, list[str]]:
    """The image's root file system, put together as a container tool does; gives the image's configuration."""

    def blob(described: dict[str, str]) -> Path:
        return layout / "blobs" / described["digest"].replace(":", "/")

    (described,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    manifest = json.loads(blob(described).read_bytes())
    for layer in manifest["layers"]:
        with tarfile.open(blob(layer)) as archive:
            archive.extractall(root, filter="tar")
    found: dict[str, list[str]] = json.loads(blob(manifest["config"]).read_bytes())["config"]
    return found


def test_an_image_runs_where_there_is_nothing_else(workspace: Path, cache: Path, tmp_path: Path) -> None:
    done = mlbuild_ends(workspace, cache, "env", "oci", "//:train")
    assert done.code == 0, done.said
    assert done.out.startswith("train.oci: 3 layers, sha256:")
    config = unpacked(workspace / "train.oci", tmp_path / "root")
    sandbox = candidates()[0]
    ran = subprocess.run(
        [
            sandbox.program, "--unshare-all", "--bind", tmp_path / "root", "/", "--proc", "/proc", "--dev", "/dev", "--clearenv",
            *(word for each in config["Env"] for word in ("--setenv", *each.split("=", 1))),
            *config["Entrypoint"], "-c", "import os, ssl, sqlite3, words; print(words.WORD, sorted(os.listdir('/')))",
        ],
        env={"LD_LIBRARY_PATH": str(sandbox.libraries or "")}, capture_output=True, timeout=60,
    )  # fmt: skip
    assert ran.stdout.decode() == (
        "from the lock ['dev', 'lib', 'lib64', 'proc', 'python', 'python-packages', 'tmp']\n"
    ), ran.stderr


def test_an_image_has_the_same_bytes_from_an_empty_cache_elsewhere(
    workspace: Path, cache: Path, tmp_path: Path
) -> None:
    assert mlbuild_ends(workspace, cache, "env", "oci", "//:train", "one").code == 0
    (tmp_path / "other").mkdir()
    assert mlbuild_ends(workspace, tmp_path / "other" / "cache", "env", "oci", "//:train", "other").code == 0
    assert files_below(workspace / "one") == files_below(workspace / "other")
    # A layout of ours is replaced, what somebody else has made is not.
    assert mlbuild_ends(workspace, cache, "env", "oci", "//:train", "one").code == 0
    refused = mlbuild_ends(workspace, cache, "env", "oci", "//:train", "notebooks/..")
    assert refused.code == 2
    assert "error[not-our-environment]: `workspace` is there already, and mlbuild has not made it" in refused.said


def test_a_kernel_starts_in_the_environment_as_the_lock_has_it(workspace: Path, cache: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = mlbuild_ends(workspace, cache, "env", "kernel", "//:train", JUPYTER_DATA_DIR=str(data))
    place = data / "kernels" / "mlbuild-workspace-train"
    assert (done.code, done.out) == (0, f"//:train (workspace): {place}\n"), done.said
    kernel = json.loads((place / "kernel.json").read_text(encoding="utf-8"))
    assert (kernel["language"], kernel["interrupt_mode"]) == ("python", "message")
    argv = [each.replace("{connection_file}", "/run/kernel.json") for each in kernel["argv"]]
    variables = {**environment(cache), "XDG_CACHE_HOME": str(cache.parent)}
    for folder, standing in ((workspace / "notebooks", "notebooks"), (tmp_path, "workspace")):
        ran = subprocess.run(argv, cwd=folder, env=variables, capture_output=True, timeout=120)
        assert ran.stdout.decode() == f"from the lock ['-f', '/run/kernel.json'] {standing}\n", ran.stderr.decode()
    assert mlbuild_ends(workspace, cache, "env", "kernel", "//:train", JUPYTER_DATA_DIR=str(data)).code == 0


def test_an_environment_without_the_package_has_no_kernel(workspace: Path, cache: Path, tmp_path: Path) -> None:
    done = mlbuild_ends(workspace, cache, "env", "kernel", "//:bare", JUPYTER_DATA_DIR=str(tmp_path))
    assert done.code == 1
    assert done.said.splitlines()[-2:] == [
        "error[no-kernel]: `//:bare` has no `ipykernel`, which a Jupyter kernel is made of",
        "  hint: add `ipykernel` to its requirements, and run `mlbuild lock`",
    ]
    assert not (tmp_path / "kernels").exists()
