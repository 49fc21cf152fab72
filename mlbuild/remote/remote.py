"""One build's remote cache: its backend by scheme, and what a session needs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from mlbuild.diagnostics import Diagnostic
from mlbuild.remote.backend import Backend
from mlbuild.remote.blobs import RemoteBlobs
from mlbuild.remote.cache import RemoteActionCache
from mlbuild.remote.credentials import Credentials
from mlbuild.remote.giving import Giver, GivingRunner
from mlbuild.remote.lazy import BlobFiles, BringingRunner, LazyStore, Promises
from mlbuild.remote.settings import Settings
from mlbuild.remote.trouble import Patience
from mlbuild.seams import ActionCache, SpawnRunner
from mlbuild.terms import FileValue, TreeValue


class Remote:
    """Opened with the build, closed with it; nothing is sent before the first look-up."""

    def __init__(
        self, settings: Settings, environ: Mapping[str, str], store: BlobFiles, warn: Callable[[Diagnostic], None]
    ) -> None:
        """Raises UserError for a certificate that cannot be used."""
        self._settings = settings
        self._store = store
        self._patience = Patience(str(settings.endpoint), settings.retries, warn)
        self._patience.reads = settings.accept_cached
        self._patience.writes = settings.upload_results
        self._backend = backend_of(settings, Credentials(settings, environ))
        self._blobs = RemoteBlobs(self._backend, self._patience, store)
        self._giver = Giver(self._backend, self._patience, store)
        self._behind: list[RemoteActionCache] = []
        self._promises = None if settings.download == "all" else Promises()
        self._lazy = None if self._promises is None else LazyStore(store, self._blobs, self._promises)

    @property
    def store(self) -> BlobFiles:
        """The local store, with what is promised behind it where outputs are not downloaded at once."""
        return self._store if self._lazy is None else self._lazy

    def behind(self, local: ActionCache) -> RemoteActionCache:
        """The local cache with the remote one behind it."""
        made = RemoteActionCache(local, self._store, self._backend, self._blobs, self._patience, self._promises)
        self._behind.append(made)
        return made

    def look_again(self) -> None:
        """Something that was promised is not there: what is promised is not believed any more."""
        if self._promises is not None:
            self._promises.break_off()

    def bring(self, values: Iterable[FileValue | TreeValue]) -> None:
        """What was asked for and is still with the remote cache comes here, if it is to. Raises BlobMissing."""
        if self._lazy is not None and not self.leaves_outputs:
            self._lazy.bring(values)

    @property
    def leaves_outputs(self) -> bool:
        """Whether what was asked for may stay with the remote cache."""
        return self._settings.download == "minimal"

    def is_here(self, value: FileValue | TreeValue) -> bool:
        """Whether nothing of the value is still with the remote cache."""
        return self._lazy is None or self._lazy.has(value)

    def giving(self, runner: SpawnRunner) -> SpawnRunner:
        """The same runner, whose successes are given to the remote cache."""
        if self._lazy is not None:
            runner = BringingRunner(runner, self._lazy)
        return GivingRunner(runner, self._giver) if self._settings.upload_results else runner

    def finish(self, say: Callable[[str], None]) -> None:
        """Remembers what was brought; waits for what is being given, at most `--remote_timeout`, and says what has not been."""
        for each in self._behind:
            each.settle()
        outstanding = self._giver.outstanding()
        if outstanding and self._giver.finish(1.0) and (outstanding := self._giver.outstanding()):
            results = "1 result" if outstanding == 1 else f"{outstanding} results"
            say(f"giving {results} to the remote cache; Ctrl-C leaves the rest here")
        left = self._giver.finish(self._settings.timeout_seconds)
        if left and self._patience.writes:
            self._patience.tell(
                Diagnostic(
                    "remote-not-given",
                    f"{left} of {left + self._giver.given} results could not be given to the remote cache",
                    hint="they stay in the local cache; `--remote_timeout` says how long the end of a build waits",
                )
            )

    def close(self) -> None:
        """Ends what is under way."""
        self._patience.end()
        self._giver.end()
        self._blobs.close()
        self._backend.close()


def backend_of(settings: Settings, credentials: Credentials) -> Backend:
    """What speaks the endpoint's protocol. Raises UserError."""
    if settings.endpoint.scheme in ("http", "https"):
        from mlbuild.remote.http import HttpBackend

        return HttpBackend(settings, credentials)
    from mlbuild.remote.reapi_backend import ReapiBackend

    return ReapiBackend(settings, credentials)
