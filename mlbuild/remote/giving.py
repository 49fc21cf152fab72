"""Results given to a remote cache, by a thread of its own while the build goes on: blobs first, then what names them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from mlbuild.diagnostics import UserError
from mlbuild.reapi import messages
from mlbuild.records import record
from mlbuild.remote.backend import Backend, Blobs
from mlbuild.remote.blobs import SMALL, STREAMS, batches
from mlbuild.remote.claims import sealed
from mlbuild.remote.trees import packed
from mlbuild.remote.trouble import Patience, RemoteError
from mlbuild.seams import BlobMissing, SpawnRunner
from mlbuild.terms import EMPTY, Digest, FileValue, Spawn, SpawnResult

SHARED_RUNNERS = frozenset({"linux-sandbox"})
"""Who keeps the whole promise of the sandbox. What anybody else has made stays on this machine."""

MOST_AT_ONCE = 200
STEP = 0.2


class GivingRunner:
    """A `SpawnRunner` whose successes are given away in the background."""

    def __init__(self, inner: SpawnRunner, giver: Giver) -> None:
        self._inner = inner
        self._giver = giver

    def run(self, spawn: Spawn) -> SpawnResult:
        result = self._inner.run(spawn)
        if result.is_success and result.runner in SHARED_RUNNERS:
            self._giver.offer(spawn, result)
        return result


@record
class Parcel:
    """One result with what it needs: blobs that are made for it, and those that the store has."""

    key: Digest
    result: bytes
    made: dict[Digest, bytes]
    stored: tuple[Digest, ...]


class Giver:
    """Gives results, in the order offered, many in one go."""

    def __init__(self, backend: Backend, patience: Patience, store: Blobs) -> None:
        self._backend = backend
        self._patience = patience
        self._store = store
        self._condition = threading.Condition()
        self._waiting: deque[tuple[Spawn, SpawnResult]] = deque()
        self._under_way = 0
        self._known: set[Digest] = {EMPTY}
        self._thread: threading.Thread | None = None
        self._is_ended = False
        self.given = 0
        self.not_given = 0

    def offer(self, spawn: Spawn, result: SpawnResult) -> None:
        """Returns at once."""
        with self._condition:
            if self._is_ended or not self._patience.writes:
                self.not_given += 1
                return
            if self._thread is None:
                thread = threading.Thread(target=self._serve, name="remote-giving", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the machine lets no more threads start
                    self.not_given += 1
                    return
                self._thread = thread
            self._waiting.append((spawn, result))
            self._condition.notify_all()

    def outstanding(self) -> int:
        with self._condition:
            return len(self._waiting) + self._under_way

    def finish(self, seconds: float) -> int:
        """Waits until all is given, at most so long; returns how many results are not. An interrupt comes through."""
        until = time.monotonic() + seconds
        with self._condition:
            while (self._waiting or self._under_way) and time.monotonic() < until:
                self._condition.wait(STEP)
            return self.not_given + len(self._waiting) + self._under_way

    def end(self) -> None:
        """What is not given stays here."""
        with self._condition:
            self._is_ended = True
            self._condition.notify_all()

    def _serve(self) -> None:
        with ThreadPoolExecutor(STREAMS, "remote-giving") as pool:
            while True:
                with self._condition:
                    while not self._waiting and not self._is_ended:
                        self._condition.wait()
                    if self._is_ended:
                        return
                    some = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
                    self._under_way = len(some)
                given = self._given(some, pool)
                with self._condition:
                    self.given += given
                    self.not_given += len(some) - given
                    self._under_way = 0
                    self._condition.notify_all()

    def _given(self, some: Sequence[tuple[Spawn, SpawnResult]], pool: ThreadPoolExecutor) -> int:
        """How many of the results have been given."""
        try:
            self._patience.write(self._backend.open_to_give)
            parcels = [parcel for spawn, result in some if (parcel := self._packed(spawn, result)) is not None]
            self._send([digest for each in parcels for digest in (*each.made, *each.stored)], parcels, pool)
            return sum(pool.map(self._keep, parcels))
        except (RemoteError, BlobMissing, UserError, OSError, RuntimeError):
            return 0  # said by whoever noticed; RuntimeError: the pool has been closed, the command ends

    def _packed(self, spawn: Spawn, result: SpawnResult) -> Parcel | None:
        """Nothing, where the store has lost what the result names, or the server has no room for it."""
        try:
            command, action = messages(spawn)
            key = Digest.of(action)
            made = {Digest.of(command): command, key: action}
            stored = [result.stdout, result.stderr]
            trees: dict[str, Digest] = {}
            for path, value in result.outputs:
                if isinstance(value, FileValue):
                    stored.append(value.digest)
                    continue
                tree, files = packed(value.digest, self._store.get)
                trees[path] = Digest.of(tree)
                made[trees[path]] = tree
                stored += files
            if any(digest.size > self._backend.largest_blob() for digest in (*made, *stored)):
                return None
            return Parcel(key, sealed(key, result, trees), made, tuple(stored))
        except BlobMissing:
            return None

    def _send(self, digests: Sequence[Digest], parcels: Sequence[Parcel], pool: ThreadPoolExecutor) -> None:
        """Asks once what the server lacks, and sends that. Raises RemoteError."""
        unknown = [digest for digest in dict.fromkeys(digests) if digest not in self._known]
        lacking = self._patience.write(lambda: self._backend.missing(unknown)) if unknown else ()
        made = {digest: data for each in parcels for digest, data in each.made.items()}
        room = self._backend.batch_bytes()
        small = [each for each in lacking if each.size <= min(SMALL, room)]
        groups = [pool.submit(self._send_batch, group, made) for group in batches(small, room)]
        for each in lacking:
            if each.size > min(SMALL, room):
                groups.append(pool.submit(self._send_big, each, made))
        for future in groups:
            future.result()
        self._known.update(unknown)

    def _send_batch(self, group: Sequence[Digest], made: dict[Digest, bytes]) -> None:
        blobs = [(digest, made[digest] if digest in made else self._store.get(digest)) for digest in group]
        self._patience.write(lambda: self._backend.write_many(blobs))

    def _send_big(self, digest: Digest, made: dict[Digest, bytes]) -> None:
        import io

        data = made.get(digest)
        if data is not None:
            self._patience.write(lambda: self._backend.write(digest, lambda: io.BytesIO(data)))
        else:
            self._patience.write(lambda: self._backend.write(digest, lambda: self._store.open(digest)))

    def _keep(self, parcel: Parcel) -> bool:
        try:
            self._patience.write(lambda: self._backend.keep_result(parcel.key, parcel.result))
        except RemoteError:
            return False
        return True
