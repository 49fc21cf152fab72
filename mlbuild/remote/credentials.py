"""What proves who we are: fixed headers, and those that a credential helper gives for this one endpoint.

The helper's protocol is Bazel's: `HELPER get`, `{"uri": ...}` at its standard input, headers as JSON at its output.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Mapping

from mlbuild.remote.settings import Settings
from mlbuild.remote.trouble import RemoteError

HELPER_SECONDS = 10
KEPT_SECONDS = 30 * 60
LARGEST = 1 << 20


class Credentials:
    """The headers of every request to the one endpoint. `environ` is what the helper runs in."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._fixed = settings.headers
        self._helper = settings.credential_helper
        self._uri = str(settings.endpoint)
        self._environ = environ
        self._lock = threading.Lock()
        self._given: tuple[tuple[str, str], ...] = ()
        self._until = 0.0
        self._is_renewed = False

    def headers(self) -> dict[str, str]:
        """In lower case; several values of one name are joined. Raises RemoteError where the helper fails."""
        found: dict[str, str] = {}
        for name, value in (*self._fixed, *self._helped()):
            found[name] = f"{found[name]}, {value}" if name in found else value
        return found

    def renew(self) -> bool:
        """The server did not take them: whether it is worth to try again, because the helper will give others."""
        with self._lock:
            is_worth = bool(self._helper) and not self._is_renewed
            self._is_renewed = True
            self._until = 0.0
            return is_worth

    def _helped(self) -> tuple[tuple[str, str], ...]:
        if not self._helper:
            return ()
        with self._lock:
            if time.monotonic() >= self._until:
                self._given, seconds = self._asked()
                self._until = time.monotonic() + seconds
            return self._given

    def _asked(self) -> tuple[tuple[tuple[str, str], ...], float]:
        try:
            done = subprocess.run(
                [self._helper, "get"], input=json.dumps({"uri": self._uri}).encode(), env=dict(self._environ),
                capture_output=True, timeout=HELPER_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise self._failed(f"did not answer within {HELPER_SECONDS} s") from None
        except OSError as error:
            raise self._failed(f"cannot be run: {error.strerror}") from None
        if done.returncode != 0:
            said = done.stderr[:300].decode("utf-8", "replace").strip().splitlines()
            raise self._failed(f"ended with {done.returncode}" + (f": {said[0]!a}" if said else ""))
        try:
            if len(done.stdout) > LARGEST:
                raise ValueError("more than a MiB")
            answer = json.loads(done.stdout)
            headers = tuple(
                (str(name).lower(), str(value))
                for name, values in answer.get("headers", {}).items()
                for value in ([values] if isinstance(values, str) else values)
            )
            if any(not value.isprintable() or not value.isascii() or not name.isascii() for name, value in headers):
                raise ValueError("a header is not printable ASCII")
            return headers, _seconds_until(answer.get("expires"))
        except (ValueError, TypeError, AttributeError):
            raise self._failed("did not answer with headers as JSON") from None

    def _failed(self, why: str) -> RemoteError:
        return RemoteError("refused", f"`--credential_helper={self._helper}` {why}")


def _seconds_until(expires: object) -> float:
    """Some of it is left out, so that a credential does not end under way."""
    if expires is None:
        return KEPT_SECONDS
    from datetime import UTC, datetime

    moment = datetime.fromisoformat(str(expires))
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - time.time() - 30)
