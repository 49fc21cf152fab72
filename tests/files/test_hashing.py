"""The SHA-256 of files of all sizes."""

import hashlib
from pathlib import Path

import pytest

from mlbuild.files.hashing import SMALL, sha256_of


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1, 3 << 20])
@pytest.mark.parametrize("buffering", [-1, 0])
def test_it_is_the_hash_of_all_bytes(tmp_path: Path, size: int, buffering: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb", buffering=buffering) as file:
        assert sha256_of(file) == hashlib.sha256(data).hexdigest()
