"""What a kind of file may contain."""

from __future__ import annotations

from mlbuild.records import record


@record
class Dialect:
    """A dialect of Starlark, as a value; it is part of the key of compiled code."""

    name: str
    functions: bool = True
    """`def` and `lambda` may stand in the file."""
    unpacked_arguments: bool = True
    """Calls may have `*args` and `**kwargs`."""
    rebinding: bool = False
    """A global may be assigned more than once."""
    top_level_control: bool = False
    """`if` and `for` may stand outside of functions."""
    exported_loads: bool = False
    """What is loaded is a global like others, seen by those who load this file."""
    while_loops: bool = False
    """`while` may be used: then only the budget of steps says that a file ends."""
    tabs: bool = False
    """Lines may be indented with tabs, which go to the next column that eight divides."""
    recursion: bool = False
    """Functions may call themselves, as deep as the budget of depth allows."""
    subset_operators: bool = False
    """`<`, `<=`, `>` and `>=` of two sets ask whether one holds the other, as in starlark-go; else they are an error."""


MODULE = Dialect("module")
"""`.bzl` files: all of Starlark."""

BUILD = Dialect("BUILD", functions=False, unpacked_arguments=False, rebinding=True)
"""BUILD files: data, comprehensions and calls."""
