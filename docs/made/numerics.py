"""The page of numerics classes: the table of `rules/python/numerics.bzl`, with what was seen of each switch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from docs.made.markdown import table
from mlbuild.files.memory import MemorySourceTree
from mlbuild.lang import ProgramCache
from mlbuild.loading import Defaults, Loader
from mlbuild.store import MemoryStore
from mlbuild.testing.workspace import rule_files

SHOWN = """\
load("@mlbuild//rules/python:numerics.bzl", "NUMERICS", "numerics_environment")
classes = NUMERICS
environments = {name: numerics_environment(name, 1) for name in NUMERICS}
"""
SEEN = {
    "ATEN_CPU_CAPABILITY": ("torch (ATen)", "softmax and the trained weights differ"),
    "ONEDNN_MAX_CPU_ISA": ("torch (oneDNN)", "convolutions, GELU, products in bfloat16, the trained weights differ"),
    "DNNL_MAX_CPU_ISA": ("torch (oneDNN, its older name)", "the same"),
    "ARROW_USER_SIMD_LEVEL": ("pyarrow", "not tried"),
    "GLIBC_TUNABLES": (
        "the C library",
        "`exp`, `log`, `sin`, `pow` differ, and with them the normal random numbers of NumPy's `RandomState`: the data "
        "that is made, not only the model",
    ),
    "MKL_CBWR": ("MKL (torch)", "products of matrices, `exp`, the trained weights differ"),
    "NPY_DISABLE_CPU_FEATURES": ("NumPy", "`exp` of doubles and the order of an unstable sort differ"),
    "OPENBLAS_CORETYPE": (
        "OpenBLAS (NumPy, SciPy)",
        "products of matrices, LogisticRegression (up to 2,979 ULP, no label), Ridge, PCA differ; with an older kernel "
        "(`Core2`) KMeans and LightGBM, too",
    ),
    "BLIS_NUM_THREADS": ("BLIS", "not tried"),
    "MKL_NUM_THREADS": ("MKL (torch)", "as `OMP_NUM_THREADS`"),
    "NUMBA_NUM_THREADS": ("numba", "not tried"),
    "NUMEXPR_MAX_THREADS": ("numexpr", "not tried"),
    "NUMEXPR_NUM_THREADS": ("numexpr", "not tried"),
    "OMP_NUM_THREADS": (
        "OpenMP (scikit-learn, LightGBM, XGBoost, torch)",
        "KMeans, histogram boosting and the weights of a small network differ (changed together with OpenBLAS's); LightGBM does not",
    ),
    "OPENBLAS_NUM_THREADS": (
        "OpenBLAS",
        "products of matrices, singular and eigenvalues, solvers differ (changed together with OpenMP's)",
    ),
    "POLARS_MAX_THREADS": ("polars", "not tried"),
    "RAYON_NUM_THREADS": ("libraries in Rust", "not tried"),
    "MKL_DYNAMIC": ("MKL", "not tried: it could use fewer threads than it was given"),
    "OMP_DYNAMIC": ("OpenMP", "not tried: it could use fewer threads than it was given"),
    "PYTHONHASHSEED": ("Python", "the order of a set of strings, and a pickle of one, differ"),
}
"""Each switch: who reads it, and what was seen when it alone was changed (the programs: `docs/explanation/why_training_differs.md`)."""
UNPINNED = (
    ("CUDA, cuDNN, cuBLAS", "no GPU was at hand: nothing is set for them, and nothing is promised"),
    ("JAX, XLA", "nothing is set for them"),
    (
        "torch's `use_deterministic_algorithms`",
        "left to your code: it makes operations fail that have no deterministic form",
    ),
    (
        "LightGBM's `deterministic` and `force_row_wise`",
        "made no difference in runs with equal threads: left to your code",
    ),
    ("AMD against Intel", "not the same bits, even with the most general kernels: tested, never promised"),
    (
        "generators that take entropy from the kernel",
        "`random.Random()`, `np.random.default_rng()` without a seed, names of `tempfile`",
    ),
)


def page(rules: Path) -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines(rules)) + "\n"


def environments(rules: Path) -> Mapping[str, Mapping[str, str]]:
    """The variables of each class, for one thread."""
    files: dict[str, bytes | str] = {"WORKSPACE.ml": b"", "shown.bzl": SHOWN.encode()}
    sources = MemorySourceTree(files | rule_files(rules), MemoryStore())
    loader = Loader(sources, ProgramCache(None), None, Defaults(prelude="shown.bzl", toolchains=()))
    found = loader.prelude()["environments"]
    assert isinstance(found, dict)
    return found


def _lines(rules: Path) -> Iterator[str]:
    classes = environments(rules)
    everywhere = set.intersection(*(set(each) for each in classes.values()))
    names = {name for each in classes.values() for name in each}
    assert names == SEEN.keys(), f"say what was seen of these: {sorted(names ^ SEEN.keys())}"
    yield "# Numerics classes\n"
    yield "Made from `rules/python/numerics.bzl` by `docs/make_reference.py`. A class is named by `numerics` of a `py_env`; its variables"
    yield "are set before any code of an action runs, are part of the action's key, and stand in the platform of a remote worker. What was"
    yield "seen is from some 70 small programs, with one switch changed at a time, on one Intel machine with AVX-512, inputs equal"
    yield "([more of it](../explanation/why_training_differs.md)).\n"
    for name, variables in sorted(classes.items()):
        own = {key: value for key, value in variables.items() if key not in everywhere}
        yield f"## `{name}`\n"
        if not own:
            yield "Sets nothing of its own: libraries choose what this machine's processor is best at, and another machine may give other bits.\n"
            continue
        yield from table(("variable", "value", "read by", "seen when it alone changed"), _rows(own))
        yield ""
    yield "## Every class\n"
    yield "The number of threads is `threads` of the `py_env` (here 1), whatever the machine has.\n"
    any_class = next(iter(classes.values()))
    yield from table(
        ("variable", "value", "read by", "seen when it alone changed"),
        _rows({key: value for key, value in any_class.items() if key in everywhere}),
    )
    yield "\n## What no class pins\n"
    yield from table(("what", "why"), UNPINNED)


def _rows(variables: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for name, value in sorted(variables.items()):
        yield (f"`{name}`", f"`{value}`", *SEEN[name])
