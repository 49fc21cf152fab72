import sys
from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet

table = pa.table({"key": [i % 7 for i in range(1000)], "value": [float(i) for i in range(1000)]})
pyarrow.parquet.write_table(table, "/tmp/table.parquet")
asked = duckdb.sql("select key, sum(value) as total from '/tmp/table.parquet' group by key order by key").fetchall()
summed = polars.read_parquet("/tmp/table.parquet").group_by("key").agg(polars.col("value").sum()).sort("key").rows()
Path(sys.argv[1]).write_text(repr((asked, summed)))
