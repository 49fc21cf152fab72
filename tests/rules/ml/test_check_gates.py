"""Gates: they read measured numbers and give a verdict with a table of slices."""

import json
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from rules.ml.tools import check_gates
from rules.ml.tools.failure import ToolError


def line(value: float, low: float, high: float) -> dict[str, object]:
    return {"value": value, "intervals": {"0.95": [low, high]}}


def measured(where: dict[str, str], model: float) -> dict[str, object]:
    found = {
        "is_higher_better": True,
        "model": line(model, model - 0.01, model + 0.01),
        "baseline": line(0.9, 0.89, 0.91),
        "gain": line(model - 0.9, model - 0.905, model - 0.895),
    }
    return {"slice": where, "rows": 20, "units": 10, "metrics": {"ndcg@3": found}}


METRICS = {
    "bootstrap": 100,
    "unit": "query",
    "slices": [measured({}, 0.93), measured({"origin": "EWR"}, 0.95), measured({"origin": "JFK"}, 0.88)],
}


def run(tmp_path: Path, *gates: dict[str, object], champion: float | None = None) -> str:
    (tmp_path / "metrics.json").write_text(json.dumps(METRICS))
    arguments = ["--label", "//:quality", "--metrics", str(tmp_path / "metrics.json"), "--gates", json.dumps(gates)]
    if champion is not None:
        (tmp_path / "champion.json").write_text(json.dumps({**METRICS, "slices": [measured({}, champion)]}))
        arguments += ["--champion", str(tmp_path / "champion.json")]
    check_gates.main([*arguments, "--out", str(tmp_path / "out")])
    return (tmp_path / "out").read_text()


def test_gates_that_hold_show_the_table_and_the_verdict(tmp_path: Path) -> None:
    report = run(
        tmp_path, {"metric": "ndcg@3", "min": 0.9}, {"metric": "ndcg@3", "versus": "baseline", "confidence": 0.95}
    )
    assert report == (
        "metric  slice         queries  model [95%]              baseline [95%]           gain [95%]\n"
        "ndcg@3  all           10       0.9300 [0.9200, 0.9400]  0.9000 [0.8900, 0.9100]  +0.0300 [+0.0250, +0.0350]\n"
        "ndcg@3  origin = EWR  10       0.9500 [0.9400, 0.9600]  0.9000 [0.8900, 0.9100]  +0.0500 [+0.0450, +0.0550]\n"
        "ndcg@3  origin = JFK  10       0.8800 [0.8700, 0.8900]  0.9000 [0.8900, 0.9100]  -0.0200 [-0.0250, -0.0150]\n"
        "\n"
        "PASSED  ndcg@3 at least 0.9: 0.9300 [0.9200, 0.9400]\n"
        "PASSED  ndcg@3 better than the baseline by at least 0: +0.0300 [+0.0250, +0.0350], lower end of 95% +0.0250\n"
        "\n"
        "//:quality: 2 of 2 gates passed\n"
    )


def test_a_gate_that_fails_still_shows_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ToolError, match="1 of 2 gates of //:quality failed"):
        run(tmp_path, {"metric": "ndcg@3", "min": 0.94}, {"metric": "ndcg@3", "max": 0.94})
    shown = capsys.readouterr().out
    assert "FAILED  ndcg@3 at least 0.94: 0.9300 [0.9200, 0.9400]\n" in shown
    assert "ndcg@3  origin = JFK" in shown
    assert not (tmp_path / "out").exists()


def test_a_gate_on_a_slice_column_is_one_for_each_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ToolError, match="1 of 2 gates"):
        run(tmp_path, {"metric": "ndcg@3", "slices": "origin", "versus": "baseline"})
    assert "FAILED  ndcg@3 of origin = JFK better than the baseline by at least 0: -0.0200" in capsys.readouterr().out


def test_a_gate_on_one_slice(tmp_path: Path) -> None:
    assert "PASSED  ndcg@3 of origin = EWR at least 0.94" in run(
        tmp_path, {"metric": "ndcg@3", "slice": {"origin": "EWR"}, "min": 0.94}
    )


def test_a_gate_against_a_recorded_champion(tmp_path: Path) -> None:
    gate = {"metric": "ndcg@3", "versus": "champion", "min_gain": 0.005}
    assert "by at least 0.005: +0.0100 (recorded 0.9200)" in run(tmp_path, gate, champion=0.92)
    with pytest.raises(ToolError, match="1 of 1 gates"):
        run(tmp_path, gate, champion=0.928)


def test_a_gate_on_what_was_not_measured_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="a gate speaks of `auc`, which was not measured"):
        run(tmp_path, {"metric": "auc", "min": 0.5})
    with pytest.raises(ToolError, match=r"the slice \{'origin': 'LGA'\}, which was not measured"):
        run(tmp_path, {"metric": "ndcg@3", "slice": {"origin": "LGA"}, "min": 0.5})
