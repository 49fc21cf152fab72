"""The switches of a numerics class take effect: each library is asked what it chose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.files.remove import remove_tree
from tests.end_to_end.command import mlbuild_ends
from tests.end_to_end.conftest import Workspace, link_copy

BUILD = """\
py_env(name = "one", lock = "requirements.lock", requirements = "requirements.in")
py_env(name = "two", lock = "requirements.lock", threads = 2)
py_env(name = "native", lock = "requirements.lock", numerics = "native")
"""
REQUIREMENTS = """\
numpy==2.4.6
polars==1.37.1
pyarrow==23.0.0
threadpoolctl==3.6.0
"""
PROCESSOR = Path("/proc/cpuinfo").read_text(encoding="utf-8")
ASKED = """\
import json
import sys

import numpy
import polars
import pyarrow
import threadpoolctl

(blas,) = [each for each in threadpoolctl.threadpool_info() if each["internal_api"] == "openblas"]
found = numpy.lib.introspect.opt_func_info("exp", "float64")["exp"]
print(json.dumps({
    "blas": blas["architecture"],
    "blas_threads": blas["num_threads"],
    "polars_threads": polars.thread_pool_size(),
    "arrow": pyarrow.runtime_info().simd_level,
    "numpy": sorted({each["current"] for each in found.values()}),
    "hash": sys.flags.hash_randomization,
}))
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, warm_cache: Path) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("numerics")
    workspace = Workspace(folder / "workspace", link_copy(warm_cache, folder / "cache" / "mlbuild"))
    workspace.write("WORKSPACE.ml", 'workspace(name = "w")\n')
    workspace.write("BUILD.ml", BUILD)
    workspace.write("requirements.in", REQUIREMENTS)
    workspace.write("ask.py", ASKED)
    locked = mlbuild_ends(workspace.folder, workspace.cache, "lock", "//:one")
    assert locked.code == 0, locked.said
    yield workspace
    remove_tree(folder)


def told(workspace: Workspace, env: str) -> dict[str, object]:
    done = mlbuild_ends(workspace.folder, workspace.cache, "run", f"//:{env}", "--", "python", "ask.py", seconds=300)
    assert done.code == 0, done.said
    found = json.loads(done.out)
    assert isinstance(found, dict)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("env", "threads"), [("one", 1), ("two", 2)])
def test_libraries_choose_what_the_class_lets_them(workspace: Workspace, env: str, threads: int) -> None:
    assert told(workspace, env) == {
        "blas": "Haswell", "blas_threads": threads, "polars_threads": threads, "arrow": "avx2", "numpy": ["X86_V3"],
        "hash": 0,
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(" avx512f " not in PROCESSOR, reason="this processor has nothing that the class takes away")
def test_without_a_class_they_choose_otherwise(workspace: Workspace) -> None:
    chosen = told(workspace, "native")
    assert chosen["blas"] != "Haswell"
    assert (chosen["arrow"], chosen["numpy"]) == ("avx512", ["X86_V4"])
