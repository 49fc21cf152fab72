"""What the rules declare: which files of which partitions each action of the example gets."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mlbuild.terms import ActionGraph, Artifact, MapAction, SpawnAction
from mlbuild.testing.workspace import MemoryWorkspace, action_making

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "flights"
FLIGHTS = (
    "year",
    "month",
    "day",
    "arr_delay",
    "dep_delay",
    "carrier",
    "tailnum",
    "origin",
    "dest",
    "air_time",
    "flight",
)
PLANES = ("tailnum", "year", "seats", "speed")
WEATHER = ("origin", "year", "month", "day", "visib", "wind_speed", "temp")


def example_files() -> dict[str, str]:
    wanted = (path for path in sorted(EXAMPLE.rglob("*")) if path.suffix in (".ml", ".py", ".in", ".lock"))
    return {path.relative_to(EXAMPLE).as_posix(): path.read_text() for path in wanted}


def workspace(**replaced: str) -> MemoryWorkspace:
    files = example_files()
    for name, text in replaced.items():
        files[name.replace("__", "/") + "/BUILD.ml"] = text
    return MemoryWorkspace(files, rules=ROOT / "rules")


@pytest.fixture(scope="module")
def graph() -> ActionGraph:
    return workspace().analyse("//models:ranker", "//models:quality", "//data:by_time.train")


def members(tree: Artifact, columns: tuple[str, ...], partitions: tuple[str, ...]) -> tuple[Artifact, ...]:
    return tuple(
        Artifact(f"{tree.path}/{partition}/{column}.parquet", tree.owner, is_source=False, parent=tree)
        for partition in partitions
        for column in sorted(columns)
    )


def expand(graph: ActionGraph, path: str, months: tuple[int, ...] = (8, 9, 10)) -> Mapping[str, SpawnAction]:
    """The actions of a map, by their first output's name in its directory."""
    action = action_making(graph, path)
    assert isinstance(action, MapAction)
    names = tuple(f"month={month:02d}" for month in months)
    known = {
        "mlbuild-out/data/flights": (FLIGHTS, names),
        "mlbuild-out/data/weather": (WEATHER, names),
        "mlbuild-out/data/planes": (PLANES, ("all",)),
        "mlbuild-out/data/airlines": (("carrier", "name"), ("all",)),
    }
    trees = {each for each in action.inputs if each.path in known}
    spawns = action.expand({tree: members(tree, *known[tree.path]) for tree in trees})
    return {each.outputs[0].path.rpartition("/")[2]: each for each in spawns}


def data_files(spawn: SpawnAction) -> list[str]:
    return sorted(
        each.path.removeprefix("mlbuild-out/data/") for each in spawn.inputs if each.path.endswith(".parquet")
    )


def test_a_partition_gets_its_declared_columns_and_those_of_its_window(graph: ActionGraph) -> None:
    spawn = expand(graph, "mlbuild-out/features/route_week")["month=09"]
    flights = ("arr_delay", "carrier", "day", "dep_delay", "dest", "month", "origin", "tailnum", "year")
    weather = ("day", "month", "origin", "visib", "wind_speed", "year")
    assert data_files(spawn) == sorted(
        [f"flights/month={month}/{column}.parquet" for month in ("08", "09") for column in flights]
        + [f"planes/all/{column}.parquet" for column in ("seats", "tailnum", "year")]
        + [f"weather/month={month}/{column}.parquet" for month in ("08", "09") for column in weather]
    )
    assert spawn.mnemonic == "MakeFeatures"
    assert spawn.progress_message == "Computing //features:route_week for month=09"


def test_the_first_partition_has_no_history(graph: ActionGraph) -> None:
    spawn = expand(graph, "mlbuild-out/features/route_week")["month=08"]
    assert "--history" not in spawn.arguments
    assert not any("month=09" in path for path in data_files(spawn))


def test_fitting_reads_only_the_partitions_of_its_part(graph: ActionGraph) -> None:
    spawn = expand(graph, "mlbuild-out/features/route_week.fit")["fitted"]
    assert data_files(spawn) == [
        f"flights/month={month}/{column}.parquet"
        for month in ("08", "09")
        for column in ("arr_delay", "carrier", "month", "origin")
    ]


def test_features_wait_for_the_contract_and_read_nothing_else_of_it(graph: ActionGraph) -> None:
    spawn = expand(graph, "mlbuild-out/features/route_week")["month=09"]
    derived = {each.path for each in spawn.inputs if not each.is_source and not each.path.endswith(".parquet")}
    assert derived == {"mlbuild-out/data/checked.stamp", "mlbuild-out/features/route_week.fit"}


def test_a_contract_reads_what_it_names_and_the_key(graph: ActionGraph) -> None:
    (spawn,) = expand(graph, "mlbuild-out/data/checked.stamp", (1,)).values()
    assert data_files(spawn) == [
        "airlines/all/carrier.parquet",
        *(
            f"flights/month=01/{column}.parquet"
            for column in ("arr_delay", "carrier", "day", "dep_delay", "dest", "flight", "month", "origin", "year")
        ),
    ]


def test_a_new_gate_changes_the_gates_action_only() -> None:
    models = example_files()["models/BUILD.ml"]
    moved = models.replace('"min": 0.95', '"min": 0.96')
    assert moved != models
    before, after = (workspace(models=text).analyse("//models:quality") for text in (models, moved))
    changed = [
        new.mnemonic
        for old, new in zip(before.actions, after.actions, strict=True)
        if not isinstance(new, MapAction) and old != new
    ]
    assert changed == ["CheckGates"]


def test_training_gets_the_rows_the_function_and_the_parameters_only(graph: ActionGraph) -> None:
    action = action_making(graph, "mlbuild-out/models/ranker")
    assert isinstance(action, SpawnAction)
    own = sorted(each.path for each in action.inputs if not each.path.startswith("external/"))
    assert own == [
        "mlbuild-out/models/ranker.params.json",
        "mlbuild-out/models/ranker.train",
        "mlbuild-out/models/ranker.valid",
        "models/train.py",
    ]


def test_an_evaluation_is_a_test_and_a_model_has_a_report(graph: ActionGraph) -> None:
    ranker, quality, part = graph.targets
    assert [each.path for each in ranker.groups["report"]] == ["mlbuild-out/models/ranker.report.txt"]
    assert [each.path for each in quality.test_results] == ["mlbuild-out/models/quality.verdict.txt"]
    assert [each.path for each in part.files] == ["mlbuild-out/data/by_time.train"]


@pytest.mark.parametrize(
    ("package", "old", "new", "message"),
    [
        ("features", '"arr_delay",\n            "dep_delay"', '"arr_dely",\n            "dep_delay"', "`columns` of //features:route_week names `arr_dely`, which is no column of `flights`"),
        ("features", '"window(1)"', '"month"', "`scope` of //features:route_week is `month`: write `partition`, `window(N)` or `global`"),
        ("features", '"route.py:route_carrier_week"', '"route.py"', "`fn` is `route.py`: write FILE.py:FUNCTION"),
        ("data", '"not_null": True,', '"notnull": True,', "`columns` of //data:checked has the unknown rule `notnull` for `carrier`"),
        ("data", '":airlines.carrier"', '"airlines"', "`in` of column `carrier` is `airlines`: write a list, or `LABEL.COLUMN`"),
        ("data", 'on = ["month"]', 'on = []', "a split by `time` needs `on`: exactly one column"),
        ("models", '"versus": "baseline"', '"versus": "best"', "a gate of //models:quality compares with `best`; write `baseline` or `champion`"),
        ("models", '"versus": "baseline"', '"versus": "champion"', "compares with the champion, but the evaluation names none"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_build_file_is_named(package: str, old: str, new: str, message: str) -> None:
    text = example_files()[f"{package}/BUILD.ml"]
    assert old in text
    assert message in workspace(**{package: text.replace(old, new)}).error("//models:quality")
