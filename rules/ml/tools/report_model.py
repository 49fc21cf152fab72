"""A model's metrics as a few lines for the screen."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from rules.ml.tools import canonical


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="report_model")
    parser.add_argument("--label", required=True)
    parser.add_argument("--metrics", required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args(arguments)

    lines = list(_flat(canonical.read(options.metrics), ""))
    width = max((len(name) for name, _ in lines), default=0)
    text = "".join(f"  {name.ljust(width)}  {value}\n" for name, value in lines)
    Path(options.out).write_text(f"{options.label}\n{text}", encoding="utf-8")


def _flat(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        # What is one number stands first; canonical JSON has sorted them all together.
        for key, each in sorted(value.items(), key=lambda item: isinstance(item[1], dict)):
            yield from _flat(each, f"{name}.{key}" if name else key)
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        text = str(value)
        yield name, text if len(text) <= 60 else text[:57] + "..."
    else:
        yield name, f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
