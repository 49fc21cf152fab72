"""Sizes on the command line."""

import pytest

from mlbuild.flags import size_of


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("20", 20), ("1K", 1024), ("3m", 3 << 20), ("20G", 20 << 30), ("2t", 2 << 40), ("007", 7)],
)
def test_a_size_is_a_number_of_bytes_and_a_power_of_1024(text: str, size: int) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "0", "K", "-1", "1.5G", "1KB", "1 G", "G1", "²", "١", "9" * 16])
def test_anything_else_is_none(text: str) -> None:
    assert size_of(text) is None
