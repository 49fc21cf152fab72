"""Metrics against values worked out by hand; intervals that depend on the seed alone."""

import pytest

np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")

from rules.ml.tools.failure import ToolError  # noqa: E402
from rules.ml.tools.measure import measure  # noqa: E402
from rules.ml.tools.metrics import Rows, metric  # noqa: E402


def value(name: str, labels: list[float], scores: list[float], units: list[int] | None = None) -> float:
    units = units or list(range(len(labels)))
    rows = Rows(np.array(labels, float), np.array(scores, float), np.array(units), max(units) + 1)
    return round(float(metric(name).values(rows, np.ones((1, rows.count)))[0]), 6)


def test_ndcg_by_hand() -> None:
    # Gains 7, 0, 1 at places 1 to 3; the ideal order has 7, 1, 0.
    assert value("ndcg@3", [3, 0, 1], [9, 8, 7], [0, 0, 0]) == round((7 + 1 / 2) / (7 + 1 / np.log2(3)), 6)
    assert value("ndcg@1", [1, 3], [2, 1], [0, 0]) == round(1 / 7, 6)


def test_rows_with_equal_scores_share_their_places() -> None:
    discount = 1 / np.log2(3)
    assert value("ndcg@2", [1, 0], [5, 5], [0, 0]) == round((1 + discount) / 2, 6)
    assert value("precision@1", [1, 0], [5, 5], [0, 0]) == 0.5
    assert value("mrr", [1, 0], [5, 5], [0, 0]) == 0.5


def test_a_query_without_a_relevant_row_is_left_out() -> None:
    assert value("ndcg@3", [0, 0, 1, 0], [1, 2, 2, 1], [0, 0, 1, 1]) == 1.0
    assert value("recall@1", [0, 0, 1, 1], [1, 2, 2, 1], [0, 0, 1, 1]) == 0.5


def test_metrics_of_rows_by_hand() -> None:
    assert value("rmse", [0, 0], [3, 4]) == round(12.5**0.5, 6)
    assert value("mae", [0, 0], [3, -4]) == 3.5
    assert value("accuracy", [1, 0, 1], [0.5, 0.4, 0.2]) == round(2 / 3, 6)
    assert value("brier", [1, 0], [0.5, 0.5]) == 0.25
    assert value("logloss", [1, 0], [0.5, 0.5]) == round(float(np.log(2)), 6)
    assert value("r2", [1, 2, 3], [1, 2, 4]) == 0.5
    assert value("auc", [1, 0, 1, 0], [4, 3, 2, 2]) == round((1 + 1 + 0 + 0.5) / 4, 6)


def test_an_unknown_metric_gets_a_suggestion() -> None:
    with pytest.raises(ToolError) as caught:
        metric("rsme")
    assert (caught.value.message, caught.value.hint) == ("there is no metric `rsme`", "did you mean `rmse`?")


def test_intervals_depend_on_the_seed_alone_and_are_paired() -> None:
    table = pa.table({"y": [1, 0, 2, 0, 1, 2, 0, 1], "q": ["a", "a", "b", "b", "c", "c", "d", "d"]})
    scores = {
        "model": np.array([2.0, 1, 2, 1, 1, 2, 2, 1]),
        "baseline": np.array([1.0, 2, 2, 1, 1, 2, 2, 1]),
    }
    found = [
        measure(table, scores, [metric("ndcg@1")], "y", ["q"], 200, np.random.Generator(np.random.PCG64(1)))
        for _ in range(2)
    ]
    assert found[0] == found[1]
    line = found[0]["metrics"]["ndcg@1"]
    assert (line["model"]["value"], line["baseline"]["value"], line["gain"]["value"]) == (0.75, 0.5, 0.25)
    assert line["gain"]["intervals"]["0.95"] == [0.0, 0.75]


def test_the_gain_is_counted_in_the_good_direction() -> None:
    table = pa.table({"y": [1.0, 2.0]})
    scores = {"model": np.array([1.0, 2.0]), "baseline": np.array([2.0, 2.0])}
    found = measure(table, scores, [metric("mae")], "y", [], 0, np.random.Generator(np.random.PCG64(1)))
    assert found["metrics"]["mae"]["gain"] == {"value": 0.5, "intervals": {}}
