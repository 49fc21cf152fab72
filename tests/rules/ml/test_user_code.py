"""Users' functions: they get what they name, and what they miss is told with the way to declare it."""

from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")

from rules.ml.tools.failure import ToolError  # noqa: E402
from rules.ml.tools.user_code import Call, TableInput, as_table, run  # noqa: E402

FLIGHTS = pa.table({"carrier": ["UA", "AA"], "delay": [1, 2]})


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    (tmp_path / "features").mkdir()
    return tmp_path


def call(workspace: Path, source: str, *, function: str = "route", **values: object) -> object:
    (workspace / "features" / "route.py").write_text(source)
    given = Call("//features:route_week", tables={"flights": TableInput(FLIGHTS)}, values=values)
    return run(f"features/route.py:{function}", given, seed=3)


def failure(workspace: Path, source: str, function: str = "route") -> str:
    with pytest.raises(ToolError) as caught:
        call(workspace, source, function=function)
    return caught.value.render()


def test_tables_and_values_are_given_by_the_names_of_parameters(workspace: Path) -> None:
    source = "def route(flights, *, seed, other=5): return (flights.num_rows, seed, other)"
    assert call(workspace, source, seed=7) == (2, 7, 5)


def test_a_module_beside_the_function_can_be_imported(workspace: Path) -> None:
    (workspace / "features" / "weeks.py").write_text("DAYS = 7")
    assert call(workspace, "from features.weeks import DAYS\nimport weeks\ndef route(flights): return DAYS") == 7


def test_random_numbers_are_seeded_before_the_module_runs(workspace: Path) -> None:
    source = "import random\nX = random.random()\ndef route(flights): return X, random.random()"
    assert call(workspace, source) == call(workspace, source)


def test_an_undeclared_column_is_named_with_the_attribute(workspace: Path) -> None:
    text = failure(workspace, 'def route(flights):\n    return flights["dep_time"]\n')
    assert text == (
        "error[undeclared-column]: //features:route_week asks for the column `dep_time`, which is in none of its "
        "declared tables\n"
        "  features/route.py:2: in route\n"
        '      return flights["dep_time"]\n'
        "  KeyError: 'Field \"dep_time\" does not exist in schema'\n"
        "  flights: carrier, delay\n"
        '  hint: declare it: `columns = {"flights": [..., "dep_time"]}`'
    )


def test_an_undeclared_file_is_named_with_the_attribute(workspace: Path) -> None:
    text = failure(workspace, 'def route(flights):\n    return open("features/holidays.csv").read()\n')
    first, *_, hint, _ = text.split("\n")
    assert first == (
        "error[undeclared-file]: //features:route_week opened `features/holidays.csv`, which is not among its inputs"
    )
    assert hint == ('  hint: declare it: `data = [..., "holidays.csv"]`, and take it as a parameter `holidays: Path`;')


def test_an_undeclared_file_is_named_when_a_library_hides_it(workspace: Path) -> None:
    source = (
        "def route(flights):\n"
        "    try:\n        open('/data/lookup.json')\n"
        "    except OSError:\n        pass\n"
        "    raise RuntimeError('lookup missing')\n"
    )
    assert failure(workspace, source).startswith(
        "error[undeclared-file]: //features:route_week opened `/data/lookup.json`, which is not among its inputs\n"
    )


def test_a_file_that_arrow_opens_is_named(workspace: Path) -> None:
    source = "import pyarrow.parquet as pq\ndef route(flights): return pq.read_table('x/y.parquet')"
    assert "opened `x/y.parquet`, which is not among its inputs" in failure(workspace, source)


def test_the_network_is_named_with_http_file(workspace: Path) -> None:
    source = "import socket\ndef route(flights): socket.create_connection(('127.0.0.1', 9))"
    text = failure(workspace, source)
    assert text.startswith("error[network]: //features:route_week tried to reach the network (127.0.0.1:9)")
    assert "declare what it fetches with `http_file`" in text


def test_an_error_of_the_users_own_keeps_its_traceback(workspace: Path) -> None:
    text = failure(workspace, "def inner():\n    return {}['x']\ndef route(flights):\n    return inner()\n")
    assert text == (
        "error[function-failed]: //features:route_week: KeyError: 'x'\n"
        "  features/route.py:4: in route\n"
        "      return inner()\n"
        "  features/route.py:2: in inner\n"
        "      return {}['x']"
    )


def test_a_parameter_that_nothing_gives_is_named(workspace: Path) -> None:
    text = failure(workspace, "def route(flights, planes): return 0")
    assert text == (
        "error[unknown-parameter]: `features/route.py:route` asks for `planes`, which //features:route_week does not "
        "give\n"
        "  it gives `flights`\n"
        "  hint: declare it in `data`"
    )


def test_a_table_that_nobody_takes_is_named(workspace: Path) -> None:
    text = failure(workspace, "def route(): return 0")
    assert text.startswith("error[input-not-taken]: //features:route_week gives the table `flights`, but")


def test_an_unknown_function_gets_a_suggestion(workspace: Path) -> None:
    text = failure(workspace, "def rout(flights): return 0")
    assert text == (
        "error[no-such-function]: `features/route.py` has no function `route`\n  hint: did you mean `rout`?"
    )


def test_a_missing_package_is_named(workspace: Path) -> None:
    assert failure(workspace, "import no_such_package").startswith(
        "error[undeclared-module]: //features:route_week imports `no_such_package`, which is neither in its environment"
    )


def test_what_is_no_table_is_refused() -> None:
    assert as_table({"a": [1]}, "f").to_pydict() == {"a": [1]}
    with pytest.raises(ToolError, match="`f` returned `int`, not a table"):
        as_table(3, "f")


def test_pandas_is_given_and_taken_without_its_marks(workspace: Path) -> None:
    pytest.importorskip("pandas")
    source = "import pandas as pd\ndef route(flights: pd.DataFrame) -> pd.DataFrame: return flights[flights.delay > 1]"
    table = as_table(call(workspace, source), "f")
    assert table.to_pydict() == {"carrier": ["AA"], "delay": [2]}
    assert table.schema.metadata is None
