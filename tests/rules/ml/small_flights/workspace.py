"""`examples/flights` with a small slice of its data in files: four months of three routes, for tests in seconds."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLE = Path(__file__).parents[4] / "examples" / "flights"
TABLES = ("flights", "weather", "planes", "airlines")


def small_flights(folder: Path, *, months: tuple[int, ...] = (9, 10, 11, 12)) -> Path:
    """The workspace, made in `folder`: `data/*.csv` are files that a test may edit. Train is September, as in the year."""
    shutil.copytree(
        EXAMPLE, folder, ignore=shutil.ignore_patterns("mlbuild-out", "__pycache__", "tests"), dirs_exist_ok=True
    )
    for name in TABLES:
        text = (HERE / f"{name}.csv").read_text(encoding="utf-8")
        if name in ("flights", "weather"):
            text = _rows_of_months(text, months)
        (folder / "data" / f"{name}.csv").write_text(text, encoding="utf-8")
    build = folder / "data" / "BUILD.ml"
    text = build.read_text(encoding="utf-8")
    text = re.sub(r"wheel_file\(.*?^\)\n\n", "", text, flags=re.DOTALL | re.MULTILINE)
    text = text.replace('rows = {"min": 1000}', 'rows = {"min": 100}')
    for name in TABLES:
        text = text.replace(f'":{name}_file"', f'"{name}.csv"')
    build.write_text(text, encoding="utf-8")
    models = folder / "models" / "BUILD.ml"
    # Few rows: small leaves, few trees, and gates that say little.
    text = models.read_text(encoding="utf-8")
    for old, new in {
        '"min_data_in_leaf": 40': '"min_data_in_leaf": 5',
        '"rounds": 400': '"rounds": 20',
        "bootstrap = 1000": "bootstrap = 100",
        '"min": 0.95': '"min": 0.5',
        '"min": 0.93': '"min": 0.5',
        '"min_gain": 0.0': '"min_gain": -0.5',
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    models.write_text(text, encoding="utf-8")
    return folder


def append_month(folder: Path, month: int) -> None:
    """Adds the rows of a month to the workspace's flights and weather."""
    for name in ("flights", "weather"):
        path = folder / "data" / f"{name}.csv"
        rows = _rows_of_months((HERE / f"{name}.csv").read_text(encoding="utf-8"), (month,)).split("\n", 1)[1]
        path.write_text(path.read_text(encoding="utf-8") + rows, encoding="utf-8")


def edit_cell(folder: Path, column: str, old: str, new: str, *, month: int, table: str = "flights") -> None:
    """Changes the first cell of `column` in `month` that holds `old`."""
    path = folder / "data" / f"{table}.csv"
    lines = path.read_text(encoding="utf-8").split("\n")
    header = lines[0].split(",")
    for number, line in enumerate(lines[1:], start=1):
        cells = line.split(",")
        if (
            len(cells) == len(header)
            and cells[header.index("month")] == str(month)
            and cells[header.index(column)] == old
        ):
            cells[header.index(column)] = new
            lines[number] = ",".join(cells)
            path.write_text("\n".join(lines), encoding="utf-8")
            return
    raise AssertionError(f"no cell {old!r} of {column} in month {month}")


def _rows_of_months(text: str, months: tuple[int, ...]) -> str:
    header, *lines = text.splitlines(keepends=True)
    at = header.strip().split(",").index("month")
    return header + "".join(line for line in lines if int(line.split(",")[at]) in months)
