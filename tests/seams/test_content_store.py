"""The laws of `ContentStore`, for every implementation."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlbuild.remote import Remote, Settings
from mlbuild.remote.settings import Endpoint
from mlbuild.seams import BlobMissing, ContentStore
from mlbuild.store import DiskStore, LayeredStore, MemoryStore
from mlbuild.terms import EMPTY, Digest

ABSENT = Digest("a" * 64, 3)


class Dribble(io.RawIOBase):
    """A stream that gives less than is asked for, as pipes and sockets do."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, 7919) if size >= 0 else size)


@pytest.fixture(params=["disk", "memory", "layered", "remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ContentStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    disk = DiskStore(tmp_path / "cache")
    if request.param == "remote":
        settings = Settings(Endpoint("http", "127.0.0.1", 9), download="toplevel")
        remote = Remote(settings, {}, disk, lambda _: None)
        yield remote.store
        remote.close()
    else:
        yield disk if request.param == "disk" else LayeredStore(disk, MemoryStore())
    disk.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(data=st.binary(max_size=5000))
def test_what_was_put_is_got(store: ContentStore, data: bytes) -> None:
    digest = store.put(data)
    assert digest == Digest.of(data)
    assert store.get(digest) == data
    assert store.open(digest).read() == data
    assert store.missing([digest]) == ()


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_017])
def test_a_stream_is_kept_whole_however_it_dribbles(store: ContentStore, size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    digest = store.put_stream(Dribble(data))  # type: ignore[arg-type]
    assert digest == Digest.of(data)
    with store.open(digest) as file:
        assert file.read() == data


def test_putting_twice_is_putting_once(store: ContentStore) -> None:
    assert store.put(b"one") == store.put(b"one") == store.put_stream(io.BytesIO(b"one"))
    assert store.get(Digest.of(b"one")) == b"one"


def test_what_was_never_put_is_missing(store: ContentStore) -> None:
    with pytest.raises(BlobMissing):
        store.get(ABSENT)
    with pytest.raises(BlobMissing):
        store.open(ABSENT)


def test_missing_keeps_the_order_and_tells_each_once(store: ContentStore) -> None:
    other = Digest("b" * 64, 3)
    here = store.put(b"here")
    assert store.missing([other, here, ABSENT, other, EMPTY]) == (other, ABSENT)


def test_the_empty_blob_is_always_there(store: ContentStore) -> None:
    assert store.missing([EMPTY]) == ()
    assert store.get(EMPTY) == b""
    assert store.open(EMPTY).read() == b""


def test_the_right_hash_with_another_size_is_missing(store: ContentStore) -> None:
    digest = store.put(b"one")
    lie = Digest(digest.hash, 4)
    with pytest.raises(BlobMissing):
        store.get(lie)


def test_a_stream_that_fails_leaves_nothing(store: ContentStore) -> None:
    class Broken(io.RawIOBase):
        left = 3

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            if not self.left:
                raise OSError(5, "input/output error")
            return bytes(size)

    with pytest.raises(OSError, match="input/output error"):
        store.put_stream(Broken())  # type: ignore[arg-type]
    assert store.missing([Digest.of(bytes(2 << 20))]) == (Digest.of(bytes(2 << 20)),)


def test_flushing_twice_is_allowed(store: ContentStore) -> None:
    store.put(b"one")
    store.flush()
    store.flush()
    assert store.get(Digest.of(b"one")) == b"one"
