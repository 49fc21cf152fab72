from __future__ import annotations

import os
from pathlib import Path

from mlbuild.fetch.incoming import incoming_folder


def test_the_folder_is_empty_and_gone_afterwards(tmp_path: Path) -> None:
    with incoming_folder(str(tmp_path / "in")) as folder:
        assert os.listdir(folder) == []
        Path(folder, "x").touch()
    assert os.listdir(tmp_path / "in") == []


def test_what_a_killed_process_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / "old", (1_600_000_000, 1_600_000_000))
    with incoming_folder(str(tmp_path)):
        pass
    assert os.listdir(tmp_path) == ["new"]
