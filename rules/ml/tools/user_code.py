"""Calls a user's plain function: finds it, gives each parameter what it is called, in the type it is annotated with."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from rules.ml.tools import seeds
from rules.ml.tools.failure import ToolError, and_list, did_you_mean
from rules.ml.tools.user_failures import Watch, explain


@dataclass(frozen=True)
class TableInput:
    """A table that a parameter may ask for. `folder` is where its files lie, if they lie in one folder."""

    table: pa.Table
    folder: Path | None = None


@dataclass
class Call:
    """What is offered to the function, by parameter name.

    `tables` must all be taken (a declared input that nobody reads would only cause rebuilds), `values` need not.
    """

    label: str
    attribute: str = "data"
    tables: dict[str, TableInput] = field(default_factory=dict)
    optional_tables: dict[str, TableInput] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)


def run(text: str, call: Call, seed: int | None = None) -> object:
    """The result of the function `path/file.py:name`. Raises ToolError for whatever goes wrong inside it."""
    path, _, name = text.rpartition(":")
    # The tools' own root leads to nothing that users import.
    root = str(Path(__file__).absolute().parents[3])
    sys.path[:] = [str(Path.cwd()), str(Path(path).absolute().parent), *(each for each in sys.path if each != root)]
    if seed is not None:
        seeds.set_global(seed)
    with Watch() as watch:
        try:
            function = _find(_load(path), name, path)
            if seed is not None:
                seeds.set_global(seed)
            arguments = bind(function, call, text)
            return function(*arguments.args, **arguments.kwargs)
        except ToolError:
            raise
        except BaseException as error:
            columns = {
                each: given.table.column_names for each, given in {**call.tables, **call.optional_tables}.items()
            }
            raise explain(error, watch, path, call.label, call.attribute, columns) from None


def bind(function: Callable[..., object], call: Call, text: str) -> inspect.BoundArguments:
    """The arguments for the function. Raises ToolError when its parameters and what is offered do not fit."""
    signature = inspect.signature(function)
    annotations = _annotations(function)
    offered: dict[str, object] = {**call.tables, **call.optional_tables, **call.values}
    parameters = signature.parameters
    takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    for name in call.tables:
        if name not in parameters and not takes_all:
            raise ToolError(
                "input-not-taken",
                f"{call.label} gives the table `{name}`, but `{text}` has no parameter of that name",
                hint=f"add a parameter `{name}`, or take it out of `{call.attribute}`",
            )
    positional, named = [], {}
    for name, parameter in parameters.items():
        if parameter.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
            continue
        if name not in offered:
            if parameter.default is not inspect.Parameter.empty:
                continue
            meant = did_you_mean(name, offered)
            raise ToolError(
                "unknown-parameter",
                f"`{text}` asks for `{name}`, which {call.label} does not give",
                notes=[f"it gives {and_list(offered)}"],
                hint=f"did you mean `{meant}`?" if meant else f"declare it in `{call.attribute}`",
            )
        value = offered[name]
        if isinstance(value, TableInput):
            value = convert(value, annotations.get(name, ""), name)
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            positional.append(value)
        else:
            named[name] = value
    if takes_all:
        named.update({
            name: convert(value, "", name) if isinstance(value, TableInput) else value
            for name, value in offered.items()
            if name not in parameters
        })  # fmt: skip
    return signature.bind(*positional, **named)


def convert(given: TableInput, annotation: str, name: str) -> object:
    """The table in the type that the annotation names: pyarrow (also without one), pandas, polars, or its folder."""
    if "pandas" in annotation or annotation.startswith("pd."):
        return given.table.to_pandas()
    if "polars" in annotation or annotation.startswith("pl."):
        import polars

        frame = polars.from_arrow(given.table)
        return frame.lazy() if annotation.endswith("LazyFrame") else frame
    if annotation.rpartition(".")[2] == "Path":
        if given.folder is None:
            raise ToolError(
                "no-folder", f"`{name}` is put together from several partitions: it can be had as a table only"
            )
        return given.folder
    return given.table


def as_table(result: object, text: str) -> pa.Table:
    """What a function returned, as a table without pandas' marks."""
    if isinstance(result, pa.RecordBatch):
        result = pa.Table.from_batches([result])
    elif isinstance(result, Mapping):
        result = pa.table(dict(result))
    elif type(result).__module__.partition(".")[0] == "pandas":
        result = pa.Table.from_pandas(result, preserve_index=False)
    elif type(result).__module__.partition(".")[0] == "polars":
        frame: Any = result
        result = getattr(frame, "collect", lambda: frame)().to_arrow()
    if not isinstance(result, pa.Table):
        raise ToolError(
            "no-table",
            f"`{text}` returned `{type(result).__name__}`, not a table",
            hint="return a pyarrow Table, a pandas or polars DataFrame, or a dict of columns",
        )
    if len(set(result.column_names)) < len(result.column_names):
        raise ToolError("column-twice", f"`{text}` returned a table with two columns of one name")
    return result.replace_schema_metadata(None)


def _load(path: str) -> ModuleType:
    name = path.removesuffix(".py").replace("/", ".")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _find(module: ModuleType, name: str, path: str) -> Callable[..., object]:
    function = getattr(module, name, None)
    if callable(function):
        found: Callable[..., object] = function
        return found
    names = [each for each, value in vars(module).items() if inspect.isfunction(value)]
    meant = did_you_mean(name, names)
    raise ToolError(
        "no-such-function",
        f"`{path}` has no function `{name}`",
        hint=f"did you mean `{meant}`?" if meant else f"it has {and_list(names)}",
    )


def _annotations(function: Callable[..., object]) -> dict[str, str]:
    """Each parameter's annotation as text, `pandas.DataFrame`, whether it was written as text or not."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        annotation = parameter.annotation
        if annotation is inspect.Parameter.empty:
            continue
        if isinstance(annotation, type):
            found[name] = f"{annotation.__module__}.{annotation.__qualname__}"
        else:
            found[name] = str(annotation).split("|")[0].strip()
    return found
