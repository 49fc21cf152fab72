"""The laws of `ActionCache`, for every implementation."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlbuild.reapi import encode_directory
from mlbuild.remote import Remote, Settings
from mlbuild.remote.settings import Endpoint
from mlbuild.seams import ActionCache, ContentStore
from mlbuild.store import DiskActionCache, DiskStore, LayeredActionCache, MemoryActionCache, MemoryStore
from mlbuild.terms import Digest, Directory, DirectoryNode, FileNode, FileValue, SpawnResult, TreeValue

KEY = Digest.of(b"key")
Again = Callable[[], ActionCache]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(params=["disk", "memory", "layered", "remote"])
def again(request: pytest.FixtureRequest, tmp_path: Path, store: MemoryStore) -> Iterator[Again]:
    """Opens the same cache, as another process would."""
    memory = MemoryActionCache(store)
    # Nobody listens there: what is left is the local side.
    remote = Remote(Settings(Endpoint("http", "127.0.0.1", 9), retries=0), {}, store, lambda _: None)  # type: ignore[arg-type]
    opened: list[DiskActionCache] = []

    def open_it() -> ActionCache:
        if request.param == "memory":
            return memory
        opened.append(DiskActionCache(tmp_path, store))
        if request.param == "remote":
            return remote.behind(opened[-1])
        return opened[-1] if request.param == "disk" else LayeredActionCache(opened[-1], MemoryActionCache(store))

    yield open_it
    for each in opened:
        each.close()
    remote.close()


def result_of(store: ContentStore) -> SpawnResult:
    inner = store.put(encode_directory(Directory((FileNode("weights", store.put(b"deep")),))))
    tree = store.put(
        encode_directory(Directory((FileNode("card", store.put(b"card")),), (DirectoryNode("in", inner),)))
    )
    return SpawnResult(
        0,
        (("mlbuild-out/log", FileValue(store.put(b"log"), True)), ("mlbuild-out/model", TreeValue(tree))),
        stdout=store.put(b"out"),
        stderr=store.put(b"err"),
        runner="linux-sandbox",
        wall_seconds=2.5,
    )


def test_what_was_recorded_is_found_whole(again: Again, store: MemoryStore) -> None:
    result = result_of(store)
    again().record(KEY, result)
    assert again().lookup(KEY) == result


def test_another_key_has_nothing(again: Again, store: MemoryStore) -> None:
    again().record(KEY, result_of(store))
    assert again().lookup(Digest.of(b"other")) is None
    assert again().lookup(Digest(KEY.hash, KEY.size + 1)) is None


@pytest.mark.parametrize("failed", [SpawnResult(1), SpawnResult(0, failure="timed out")])
def test_a_failure_is_never_recorded(again: Again, failed: SpawnResult) -> None:
    with pytest.raises(ValueError, match="failures are never remembered"):
        again().record(KEY, failed)
    assert again().lookup(KEY) is None


def test_the_last_record_counts(again: Again, store: MemoryStore) -> None:
    again().record(KEY, result_of(store))
    again().record(KEY, SpawnResult(0))
    assert again().lookup(KEY) == SpawnResult(0)


@pytest.mark.parametrize("lost", [b"log", b"out", b"err", b"card", b"deep"])
def test_a_hit_implies_that_every_blob_can_be_had(again: Again, store: MemoryStore, lost: bytes) -> None:
    again().record(KEY, result_of(store))
    store.lose(Digest.of(lost))
    assert again().lookup(KEY) is None
    store.put(lost)
    assert again().lookup(KEY) == result_of(store)


@pytest.mark.parametrize("name", ["mlbuild-out/model", "in"])
def test_a_hit_implies_that_every_folder_can_be_had(again: Again, store: MemoryStore, name: str) -> None:
    result = result_of(store)
    again().record(KEY, result)
    inner = encode_directory(Directory((FileNode("weights", Digest.of(b"deep")),)))
    store.lose(Digest.of(inner) if name == "in" else dict(result.outputs)[name].digest)
    assert again().lookup(KEY) is None


def test_blobs_are_durable_before_the_entry(again: Again, store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(5, "input/output error")

    cache = again()
    if isinstance(cache, MemoryActionCache):
        pytest.skip("nothing in memory is durable")
    monkeypatch.setattr(store, "flush", refuse)
    with pytest.raises(OSError, match="input/output error"):
        cache.record(KEY, SpawnResult(0))
    assert again().lookup(KEY) is None


def test_disk_store_and_disk_cache_work_together(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    result = result_of(store)
    DiskActionCache(tmp_path, store).record(KEY, result)
    assert DiskActionCache(tmp_path, DiskStore(tmp_path)).lookup(KEY) == result
