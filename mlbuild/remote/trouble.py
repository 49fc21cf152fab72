"""What goes wrong with a remote cache, how often it is tried again, and when a build goes on without it.

A build never fails for its cache: it is told once, in one warning, and goes on alone.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Literal, TypeVar

from mlbuild.diagnostics import Diagnostic

Kind = Literal["transient", "slow", "refused", "wrong", "lasting"]
"""Try again; waited long enough; no permission; answered what cannot be right; will not work by trying again."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
MOST_WRONG = 10
"""How many answers that cannot be right are thrown away before the cache is left aside."""

T = TypeVar("T")


class RemoteError(Exception):
    """The remote cache did not do what it was asked. `pause` is what it wants us to wait, in seconds."""

    def __init__(self, kind: Kind, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.pause = pause


class NotThere(RemoteError):
    """The server does not have what it was asked for."""

    def __init__(self) -> None:
        super().__init__("lasting", "it answered NOT_FOUND")


class Unknown(RemoteError):
    """The server does not know what it was asked to do."""

    def __init__(self) -> None:
        super().__init__("lasting", "it does not know a call that a cache needs")


class LeftAside(RemoteError):
    """The remote cache is not asked any more in this build."""

    def __init__(self) -> None:
        super().__init__("lasting", "it has been left aside")


class Patience:
    """Tries again with pauses that grow, and breaks the circuit when that does not help. One for a build."""

    def __init__(self, name: str, retries: int, warn: Callable[[Diagnostic], None]) -> None:
        self._name = name
        self._retries = retries
        self._warn = warn
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._has_warned = False
        self._wrong = 0
        self.reads = True
        self.writes = True

    def end(self) -> None:
        """Nothing is asked any more, and whoever pauses goes on at once."""
        self.reads = self.writes = False
        self._ended.set()

    def read(self, work: Callable[[], T]) -> T:
        """What `work` gives. Raises RemoteError: the caller goes on without."""
        return self._tried(work, is_write=False)

    def write(self, work: Callable[[], T]) -> T:
        return self._tried(work, is_write=True)

    def got_wrong(self, what: str) -> None:
        """An answer cannot be right; it was thrown away."""
        with self._lock:
            self._wrong += 1
            is_enough = self._wrong >= MOST_WRONG
        if is_enough:
            self.leave(f"it gave {MOST_WRONG} wrong answers, the last one {what}")
        else:
            self.tell(
                Diagnostic(
                    "remote-wrong",
                    f"the remote cache `{self._name}` gave {what}; it was thrown away, and the build makes it itself",
                    hint="a few come from damaged disks; if they come again, have the cache's operator look, or leave out `--remote_cache`",
                )
            )

    def leave(self, reason: str, hint: str | None = None) -> None:
        """The build goes on without the remote cache."""
        self.reads = self.writes = False
        self.tell(
            Diagnostic(
                "remote-left-aside",
                f"the build goes on without the remote cache `{self._name}`: {reason}",
                hint=hint or "the next build asks it again; `--remote_cache=` builds without it",
            )
        )

    def stop_writing(self, reason: str) -> None:
        """Results are read, and not given, any more."""
        self.writes = False
        self.tell(
            Diagnostic(
                "remote-read-only",
                f"results are not given to the remote cache `{self._name}`: {reason}",
                hint="`--noremote_upload_local_results` says that this is meant; else give a credential that may write, by `--remote_header` or `--credential_helper`",
            )
        )

    def _tried(self, work: Callable[[], T], is_write: bool) -> T:
        left = self._retries
        pause = FIRST_PAUSE
        while True:
            if not (self.writes if is_write else self.reads):
                raise LeftAside
            try:
                return work()
            except RemoteError as error:
                if error.kind == "transient" and left > 0:
                    left -= 1
                    wanted = min(max(pause, error.pause), LONGEST_PAUSE)
                    self._ended.wait(wanted * random.uniform(0.8, 1.2))  # so that not all come again at once
                    pause = min(2 * pause, LONGEST_PAUSE)
                    continue
                self._learn(error, is_write)
                raise

    def _learn(self, error: RemoteError, is_write: bool) -> None:
        if self._ended.is_set() or isinstance(error, LeftAside):
            return
        if error.kind == "wrong":
            self.got_wrong(error.reason)
        elif error.kind == "refused" and is_write:
            self.stop_writing(error.reason)
        elif error.kind == "refused":
            self.leave(error.reason, "give a credential that may read, by `--remote_header` or `--credential_helper`")
        else:
            self.leave(error.reason)

    def tell(self, diagnostic: Diagnostic) -> None:
        """Once a build: after the first the person knows where to look."""
        with self._lock:
            if self._has_warned:
                return
            self._has_warned = True
        self._warn(diagnostic)
