"""Small state of our own on disk."""

import fcntl
from pathlib import Path

from mlbuild.files.kept import keep, load_kept

MAGIC = b"test-1\n"


def test_what_a_killed_process_has_left_is_used_and_gone(tmp_path: Path) -> None:
    place = tmp_path / "state"
    (tmp_path / "state.new").write_bytes(b"half of something longer than what follows" * 10)
    assert keep(str(place), MAGIC, ("right", 1))
    assert load_kept(str(place), MAGIC) == ("right", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_two_at_once_do_not_mix(tmp_path: Path) -> None:
    place = tmp_path / "state"
    assert keep(str(place), MAGIC, "before")
    with (tmp_path / "state.new").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not keep(str(place), MAGIC, "after")
    assert load_kept(str(place), MAGIC) == "before"


def test_every_flipped_bit_shows(tmp_path: Path) -> None:
    place = tmp_path / "state"
    assert keep(str(place), MAGIC, ("words", 1, (2, 3)))
    content = place.read_bytes()
    for bit in range(len(content) * 8):
        harmed = bytearray(content)
        harmed[bit // 8] ^= 1 << bit % 8
        place.write_bytes(harmed)
        assert load_kept(str(place), MAGIC) is None
