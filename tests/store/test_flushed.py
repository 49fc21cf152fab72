"""After a loss of power: what was put and not flushed is read before it is believed, and nothing else is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mlbuild.store import DiskStore, disk, flushed
from mlbuild.terms import Digest

EARLY, LATE = b"early " * 8, b"late " * 8


def reboot(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(flushed, "boot", lambda: name)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One blob was put and flushed; another was put in time, and its disk has lost it: its bytes are zeros."""
    monkeypatch.setattr(flushed, "SLACK_NS", 0)
    monkeypatch.setattr(flushed, "NOTED_AGAIN_AFTER_NS", -1)
    reboot(monkeypatch, "first")
    store = DiskStore(tmp_path)
    store.put(EARLY)
    while time.time_ns() <= store.path_of(Digest.of(EARLY)).stat().st_ctime_ns + 10_000_000:
        time.sleep(0.001)
    store.flush()
    place = store.path_of(store.put(LATE))
    before = place.stat()
    place.chmod(0o644)
    place.write_bytes(bytes(len(LATE)))
    place.chmod(0o444)
    os.utime(place, ns=(before.st_mtime_ns, before.st_mtime_ns))
    store.close()
    return tmp_path


def read(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many blobs are read to say whether both are there."""
    count = 0
    real = disk.sha256_of

    def counting(file: object) -> str:
        nonlocal count
        count += 1
        return real(file)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(disk, "sha256_of", counting)
        store.missing([Digest.of(EARLY), Digest.of(LATE)])
    return count


def test_what_was_not_flushed_is_read_after_a_start_of_the_machine(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(DiskStore(cache), monkeypatch) == 0
    reboot(monkeypatch, "second")
    store = DiskStore(cache)
    assert store.missing([Digest.of(EARLY), Digest.of(LATE)]) == (Digest.of(LATE),)
    store.put(LATE)
    store.flush()
    assert read(DiskStore(cache), monkeypatch) == 0


def test_doubts_last_until_the_blob_is_asked_for(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("second", "third"):
        reboot(monkeypatch, name)
        store = DiskStore(cache)
        store.put(name.encode())
        store.flush()
    assert DiskStore(cache).missing([Digest.of(LATE)]) == (Digest.of(LATE),)


def test_without_a_note_everything_is_read_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / "flushed").unlink()
    assert read(DiskStore(cache), monkeypatch) == 2
    assert read(DiskStore(cache), monkeypatch) == 0
