"""Starlark: the language of BUILD files and modules. Knows nothing of builds.

In: the bytes of a file, the names and values that a host gives it. Out: its frozen globals, or a `StarlarkError` that says where, what
and what to try. Values are native Python (`None`, `bool`, `int`, `float`, `str`, `bytes`, `list`, `tuple`, `dict`, `range`), `Set`,
functions, and whatever objects of the host follow this protocol by having `starlark_type: str` as a class attribute and, optionally:

- `starlark_dir() -> tuple[str, ...]`, `starlark_attr(name)` (KeyError if absent), `starlark_methods: tuple[str, ...]` (Python methods
  that Starlark may call), `starlark_set_field(name, value)`
- `starlark_repr()`, `starlark_str()`, `starlark_truth()`, `starlark_len()`, `starlark_iter()`, `starlark_index(key)`,
  `starlark_contains(key)`
- `starlark_hint: str`, what to try where a value of the type was used as it cannot be
- `starlark_binary(operator, other, reflected)` (or NotImplemented), `starlark_call(thread, args, kwargs)`
- `starlark_export(module_path, name)`, when a global of a module is first bound to it; `starlark_freeze()`

A value that can be hashed in Python can be a key. Nothing else of a Python object can be reached from Starlark; files read nothing,
write nothing, and cannot run for ever. A running module is frozen when it ends: lists and dicts that a host value holds must be
replaced by `freeze(value)` in its `starlark_freeze`.
"""

from __future__ import annotations

from mlbuild.lang.cache import ProgramCache
from mlbuild.lang.check import check
from mlbuild.lang.dialect import BUILD, MODULE, Dialect
from mlbuild.lang.errors import StarlarkError
from mlbuild.lang.private import PrivateFolder
from mlbuild.lang.program import Load, Program, call, compile_program, execute
from mlbuild.lang.runtime.builtin import builtin
from mlbuild.lang.runtime.json import JSON
from mlbuild.lang.runtime.library import STRUCT, UNIVERSE
from mlbuild.lang.runtime.text import repr_value, str_value
from mlbuild.lang.runtime.thread import Allowance, Limits, Thread
from mlbuild.lang.runtime.values import Builtin, FrozenDict, FrozenList, Namespace, Set, Struct, freeze, type_name

__all__ = [
    "BUILD",
    "JSON",
    "MODULE",
    "STRUCT",
    "UNIVERSE",
    "Allowance",
    "Builtin",
    "Dialect",
    "FrozenDict",
    "FrozenList",
    "Limits",
    "Load",
    "Namespace",
    "PrivateFolder",
    "Program",
    "ProgramCache",
    "Set",
    "StarlarkError",
    "Struct",
    "Thread",
    "builtin",
    "call",
    "check",
    "compile_program",
    "execute",
    "freeze",
    "repr_value",
    "str_value",
    "type_name",
]
