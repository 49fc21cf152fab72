"""Data sets: a source becomes a table tree, and a bad cell is named."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")

from rules.ml.tools import make_dataset, tables  # noqa: E402
from rules.ml.tools.failure import ToolError  # noqa: E402

SCHEMA = {"month": "int8", "carrier": "string", "delay": "int16"}
ROWS = "month,carrier,delay,unused\n2,UA,5,x\n1,AA,NA,x\n1,UA,-3,x\n"


def run(source: Path, out: Path, *extra: str, form: str = "csv") -> Path:
    schema = json.dumps(SCHEMA)
    make_dataset.main(
        [
            "--label",
            "//:d",
            "--source",
            str(source),
            "--format",
            form,
            "--schema",
            schema,
            "--null",
            "NA",
            "--out",
            str(out),
            *extra,
        ]
    )
    return out


def test_a_csv_is_partitioned_by_a_column(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(ROWS)
    out = run(tmp_path / "d.csv", tmp_path / "out", "--partition_by", "month", "--sort_by", "carrier")
    assert tables.partition_names(out) == ("month=01", "month=02")
    january = tables.read_partition(out / "month=01", ["carrier", "delay", "month"])
    assert january.to_pydict() == {"carrier": ["AA", "UA"], "delay": [None, -3], "month": [1, 1]}
    assert tables.column_names(out / "month=01") == ("carrier", "delay", "month")


def test_a_bad_cell_is_named_by_column_row_and_value(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(ROWS.replace("-3", "soon"))
    with pytest.raises(ToolError) as caught:
        run(tmp_path / "d.csv", tmp_path / "out")
    assert caught.value.message == f"column `delay` of `{tmp_path}/d.csv`, row 3: 'soon' is no int16"


def test_a_missing_column_gets_a_suggestion(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(ROWS.replace("carrier", "carier"))
    with pytest.raises(ToolError) as caught:
        run(tmp_path / "d.csv", tmp_path / "out")
    assert caught.value.message == f"`{tmp_path}/d.csv` has no column `carrier`, which `schema` declares"
    assert caught.value.hint == "did you mean `carier`?"


def test_a_key_that_two_rows_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(ROWS)
    with pytest.raises(ToolError) as caught:
        run(tmp_path / "d.csv", tmp_path / "out", "--key", "month")
    assert caught.value.message == "1 values of the key (month) of //:d belong to more than one row"
    assert caught.value.notes == ("month = 1: 2 rows",)


def test_a_zip_inside_a_tar_is_read_without_unpacking(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("d.csv", ROWS)
        archive.writestr("__MACOSX/._d.csv", "")
    with tarfile.open(tmp_path / "p.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("p/data/d.csv.zip")
        member.size = len(packed.getvalue())
        tar.addfile(member, io.BytesIO(packed.getvalue()))
    out = run(tmp_path / "p.tar.gz", tmp_path / "out", "--member", "p/data/d.csv.zip")
    assert tables.read_tree(out, ["carrier"]).to_pydict() == {"carrier": ["UA", "AA", "UA"]}
    with pytest.raises(ToolError, match=r"has no member `p/data/d\.csv`"):
        run(tmp_path / "p.tar.gz", tmp_path / "out", "--member", "p/data/d.csv")


@pytest.mark.parametrize("form", ["jsonl", "parquet", "arrow"])
def test_other_formats_give_the_same_tree(form: str, tmp_path: Path) -> None:
    rows = [{"month": 1, "carrier": "AA", "delay": None}, {"month": 1, "carrier": "UA", "delay": -3}]
    source = tmp_path / f"d.{form}"
    if form == "jsonl":
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif form == "parquet":
        import pyarrow.parquet

        pyarrow.parquet.write_table(pa.Table.from_pylist(rows), source)
    else:
        with pa.OSFile(str(source), "wb") as file, pa.ipc.new_file(file, pa.Table.from_pylist(rows).schema) as writer:
            writer.write_table(pa.Table.from_pylist(rows))
    out = run(source, tmp_path / "out", form=form)
    (tmp_path / "d.csv").write_text("month,carrier,delay\n1,AA,NA\n1,UA,-3\n")
    same = run(tmp_path / "d.csv", tmp_path / "same")
    assert [path.read_bytes() for path in sorted(out.rglob("*.parquet"))] == [
        path.read_bytes() for path in sorted(same.rglob("*.parquet"))
    ]
