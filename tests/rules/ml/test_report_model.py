"""A model's report: its metrics as lines for the screen."""

from pathlib import Path

from rules.ml.tools import canonical, report_model


def test_single_numbers_stand_before_groups(tmp_path: Path) -> None:
    metrics = {"gain": {"a": 0.25, "b": 0.123456789}, "rows": 7755, "valid ndcg@3": 0.9667951, "note": "x"}
    canonical.write(tmp_path / "metrics.json", metrics)
    arguments = ["--label", "//models:ranker", "--metrics", str(tmp_path / "metrics.json")]
    report_model.main([*arguments, "--out", str(tmp_path / "report.txt")])
    assert (tmp_path / "report.txt").read_text() == (
        "//models:ranker\n"
        "  note          x\n"
        "  rows          7,755\n"
        "  valid ndcg@3  0.966795\n"
        "  gain.a        0.25\n"
        "  gain.b        0.123457\n"
    )
