"""What bit flips, other programs, full disks and failing ones do to the store: nothing wrong is ever given."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbuild.diagnostics import Diagnostic, ExitCode, UserError
from mlbuild.seams import BlobMissing
from mlbuild.store import DiskActionCache, DiskStore, durable
from mlbuild.terms import Digest, FileValue, SpawnResult

DATA = b"weights " * 8
DIGEST = Digest.of(DATA)
KEY = Digest.of(b"key")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a blob that an earlier process has put."""
    store = DiskStore(tmp_path)
    place = store.path_of(store.put(DATA))
    store.close()
    return place


def overwrite(path: Path, content: bytes) -> None:
    """As a flaw of the disk would: neither the times nor the inode tell."""
    before = path.stat()
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(0o444)
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))


def refused(store: DiskStore) -> bool:
    """Whether every way to the blob says that it is not there."""
    for ask in (store.get, store.open, store.path_of):
        try:
            ask(DIGEST)
        except BlobMissing:
            continue
        return False
    return store.missing([DIGEST]) == (DIGEST,)


def test_no_flipped_bit_of_a_blob_is_served(tmp_path: Path, path: Path) -> None:
    for bit in range(len(DATA) * 8):
        damaged = bytearray(DATA)
        damaged[bit // 8] ^= 1 << bit % 8
        overwrite(path, bytes(damaged))
        assert refused(DiskStore(tmp_path))
        DiskStore(tmp_path).put(DATA)


@pytest.mark.parametrize("first", ["get", "open", "path_of"])
def test_every_way_to_a_damaged_blob_is_closed(tmp_path: Path, path: Path, first: str) -> None:
    overwrite(path, b"x" * len(DATA))
    with pytest.raises(BlobMissing):
        getattr(DiskStore(tmp_path), first)(DIGEST)


@pytest.mark.parametrize("content", [b"", DATA[:-1], DATA + b"x", bytes(len(DATA))])
def test_a_blob_cut_grown_or_zeroed_is_not_served(tmp_path: Path, path: Path, content: bytes) -> None:
    overwrite(path, content)
    assert refused(DiskStore(tmp_path))


def test_a_damaged_blob_is_set_aside_said_and_put_again(tmp_path: Path, path: Path) -> None:
    overwrite(path, b"x" * len(DATA))
    said: list[Diagnostic] = []
    store = DiskStore(tmp_path, said.append)
    assert refused(store)
    assert [each.read_bytes() for each in (tmp_path / "quarantine").iterdir()] == [b"x" * len(DATA)]
    assert [each.code for each in said] == ["damaged-blob"]
    assert store.put(DATA) == DIGEST
    assert store.get(DIGEST) == DATA


def test_putting_over_a_damaged_blob_repairs_it(tmp_path: Path, path: Path) -> None:
    overwrite(path, b"x" * len(DATA))
    store = DiskStore(tmp_path)
    store.put(DATA)
    assert store.open(DIGEST).read() == DATA


def test_an_edit_of_a_blob_that_was_already_given_is_seen(tmp_path: Path, path: Path) -> None:
    store = DiskStore(tmp_path)
    assert store.open(DIGEST).read() == DATA
    path.chmod(0o644)
    path.write_bytes(b"x" * len(DATA))
    assert refused(store)


def test_hard_links_to_a_blob_leave_it_trusted(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DiskStore(tmp_path)
    store.path_of(DIGEST)
    os.link(path, tmp_path / "staged")
    monkeypatch.setattr("hashlib.file_digest", lambda *_: pytest.fail("it was hashed again"))
    assert store.path_of(DIGEST) == path


def test_a_touched_blob_is_hashed_and_given(tmp_path: Path, path: Path) -> None:
    path.touch()
    store = DiskStore(tmp_path)
    assert store.missing([DIGEST]) == ()
    assert store.open(DIGEST).read() == DATA
    assert path.stat().st_mtime == 315_532_800


def test_a_link_in_the_place_of_a_blob_is_not_followed(tmp_path: Path, path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(DATA)
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(BlobMissing):
        DiskStore(tmp_path).get(DIGEST)


def test_a_blob_that_the_disk_cannot_read_is_missing_but_not_condemned(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_open(*arguments: object, **options: object) -> int:
        raise OSError(errno.EIO, "input/output error")

    store = DiskStore(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("mlbuild.store.disk.os.open", fail_to_open)
        with pytest.raises(BlobMissing):
            store.get(DIGEST)
    assert store.get(DIGEST) == DATA
    assert not (tmp_path / "quarantine").exists()


def test_a_blob_that_the_disk_cannot_read_is_asked_for_once_and_then_put_again(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_read(file: object) -> str:
        raise OSError(errno.EIO, "input/output error")

    store = DiskStore(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("mlbuild.store.disk.sha256_of", fail_to_read)
        assert store.missing([DIGEST]) == ()
        with pytest.raises(BlobMissing):
            store.open(DIGEST)
        assert store.missing([DIGEST]) == (DIGEST,)
    store.put(DATA)
    assert store.missing([DIGEST]) == ()


def test_a_damaged_blob_that_cannot_be_set_aside_is_missing(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_rename(old: object, new: object) -> None:
        raise OSError(errno.EROFS, "read-only file system")

    overwrite(path, b"x" * len(DATA))
    store = DiskStore(tmp_path)
    monkeypatch.setattr("mlbuild.store.disk.os.rename", fail_to_rename)
    with pytest.raises(BlobMissing):
        store.open(DIGEST)
    assert path.exists()
    assert store.missing([DIGEST]) == (DIGEST,)


def test_too_many_open_files_are_not_a_missing_blob(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_open(*arguments: object, **options: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    store = DiskStore(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("mlbuild.store.disk.os.open", fail_to_open)
        with pytest.raises(UserError) as caught:
            store.get(DIGEST)
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert store.get(DIGEST) == DATA


def test_a_cache_folder_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "cache")
    store.put(b"one")
    (tmp_path / "cache").rename(tmp_path / "gone")
    store.put(b"two")
    assert store.get(Digest.of(b"two")) == b"two"
    assert store.missing([Digest.of(b"one")]) == (Digest.of(b"one"),)


def test_no_flipped_bit_of_an_entry_is_served(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    cache = DiskActionCache(tmp_path, store)
    result = SpawnResult(0, (("mlbuild-out/x", FileValue(store.put(DATA))),), runner="linux-sandbox")
    cache.record(KEY, result)
    entry = tmp_path / "ac" / KEY.hash[:2] / KEY.hash
    content = entry.read_bytes()
    for bit in range(len(content) * 8):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        entry.write_bytes(bytes(damaged))
        assert cache.lookup(KEY) is None
        assert not entry.exists()
    entry.write_bytes(content)
    assert cache.lookup(KEY) == result


@pytest.mark.parametrize("length", [0, 1, 40, -1])
def test_an_entry_cut_short_is_a_miss(tmp_path: Path, length: int) -> None:
    cache = DiskActionCache(tmp_path, DiskStore(tmp_path))
    cache.record(KEY, SpawnResult(0, runner="linux-sandbox"))
    entry = tmp_path / "ac" / KEY.hash[:2] / KEY.hash
    entry.write_bytes(entry.read_bytes()[:length])
    assert cache.lookup(KEY) is None


def test_an_entry_under_another_key_is_a_miss(tmp_path: Path) -> None:
    cache = DiskActionCache(tmp_path, DiskStore(tmp_path))
    cache.record(KEY, SpawnResult(0))
    other = Digest.of(b"other")
    (tmp_path / "ac" / other.hash[:2]).mkdir()
    (tmp_path / "ac" / KEY.hash[:2] / KEY.hash).rename(tmp_path / "ac" / other.hash[:2] / other.hash)
    assert cache.lookup(other) is None


def test_blobs_that_could_not_be_made_durable_are_never_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_to_sync(folder: Path) -> None:
        raise OSError(errno.EIO, "input/output error")

    store = DiskStore(tmp_path)
    cache = DiskActionCache(tmp_path, store)
    result = SpawnResult(0, (("mlbuild-out/x", FileValue(store.put(DATA))),))
    monkeypatch.setattr(durable, "sync_file_system", fail_to_sync)
    with pytest.raises(UserError):
        cache.record(KEY, result)
    monkeypatch.undo()
    # The kernel tells of a failed write once: a second `syncfs` succeeds, and means nothing.
    with pytest.raises(UserError):
        cache.record(KEY, result)
    assert cache.lookup(KEY) is None


def test_one_sync_serves_all_that_was_put_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync_file_system", synced.append)
    store = DiskStore(tmp_path)
    store.flush()
    assert synced == []
    store.put(b"one")
    store.put(b"two")
    store.flush()
    store.flush()
    assert synced == [tmp_path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", place], check=False, capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount a small disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_said_and_leaves_nothing_wrong(small_disk: Path) -> None:
    store = DiskStore(small_disk)
    cache = DiskActionCache(small_disk, store)
    kept = store.put(b"x" * 500_000)
    big = os.urandom(700_000)
    with pytest.raises(UserError) as caught:
        store.put(big)
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert caught.value.diagnostics[0].code == "disk-full"
    assert str(small_disk) in caught.value.diagnostics[0].message
    assert store.missing([Digest.of(big)]) == (Digest.of(big),)
    assert store.get(kept) == b"x" * 500_000
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(2 << 20))
    with pytest.raises(UserError):
        cache.record(KEY, SpawnResult(0, (("mlbuild-out/x", FileValue(kept)),), runner="x" * 9000))
    assert cache.lookup(KEY) is None
    filler.unlink()
    cache.record(KEY, SpawnResult(0))
    assert cache.lookup(KEY) == SpawnResult(0)


def test_a_cache_that_may_not_be_written_still_answers(small_disk: Path) -> None:
    store = DiskStore(small_disk)
    DiskActionCache(small_disk, store).record(KEY, SpawnResult(0, (("o", FileValue(store.put(DATA))),)))
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    said: list[Diagnostic] = []
    read_only = DiskStore(small_disk)
    cache = DiskActionCache(small_disk, read_only, said.append)
    assert cache.lookup(KEY) is not None
    assert read_only.get(DIGEST) == DATA
    for _ in range(2):
        cache.record(Digest.of(b"other"), SpawnResult(0))
    assert [each.code for each in said] == ["results-not-kept"]
    with pytest.raises(UserError) as caught:
        read_only.put(b"new")
    assert caught.value.diagnostics[0].code == "cache-not-writable"
