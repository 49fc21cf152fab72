"""A ranker of carriers: gradient-boosted trees that learn the order within each query (LambdaMART)."""

from pathlib import Path

import lightgbm
import numpy as np
import pyarrow as pa

INPUTS = [
    "carriers",
    "flights",
    "flights_before",
    "on_time_last_week",
    "on_time_before",
    "departure_delay_before",
    "seats_before",
    "built_before",
    "rough_hours_last_week",
    "usual_rate",
]


def train(
    train: pa.Table, valid: pa.Table, *, params: dict, seed: int, label: str, query: list[str], out: Path
) -> dict:
    """Trains until the valid rows get no better; writes LightGBM's own text format."""
    settings = {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [3],
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
        "seed": seed,
        **{name: value for name, value in params.items() if name not in ("rounds", "patience")},
    }
    measured: dict = {}
    train_set = _dataset(train, label, query)
    booster = lightgbm.train(
        settings,
        train_set,
        num_boost_round=params["rounds"],
        valid_sets=[_dataset(valid, label, query, reference=train_set)],
        valid_names=["valid"],
        callbacks=[
            lightgbm.early_stopping(params["patience"], verbose=False),
            lightgbm.record_evaluation(measured),
        ],
    )
    booster.save_model(out / "model.txt", num_iteration=booster.best_iteration)
    gains = dict(zip(INPUTS, booster.feature_importance("gain", booster.best_iteration).tolist(), strict=True))
    return {
        "valid ndcg@3": max(measured["valid"]["ndcg@3"]),
        "trees": booster.best_iteration,
        "train rows": train.num_rows,
        "valid rows": valid.num_rows,
        "share of gain": {name: gain / sum(gains.values()) for name, gain in gains.items()},
    }


def predict(model: Path, rows: pa.Table) -> np.ndarray:
    """A score for each row: the higher, the more likely on time among the carriers of its query."""
    return lightgbm.Booster(model_file=model / "model.txt").predict(_inputs(rows), num_threads=1)


def predict_last_week(rows: pa.Table) -> np.ndarray:
    """The baseline: whoever was on time last week; those that did not fly come last."""
    return rows.column("on_time_last_week").fill_null(0.0).to_numpy()


def _inputs(rows: pa.Table) -> np.ndarray:
    return np.stack([rows.column(name).to_numpy().astype(np.float64) for name in INPUTS], axis=1)


def _dataset(rows: pa.Table, label: str, query: list[str], reference: object = None) -> "lightgbm.Dataset":
    # LightGBM wants the rows of a query beside each other.
    ordered = rows.sort_by([(name, "ascending") for name in query])
    keys = list(zip(*(ordered.column(name).to_pylist() for name in query), strict=True))
    starts = [0, *(at for at in range(1, len(keys)) if keys[at] != keys[at - 1]), len(keys)]
    labels = ordered.column(label).to_numpy()
    return lightgbm.Dataset(_inputs(ordered), labels, group=np.diff(starts), reference=reference)
