"""A process that puts and records is killed, or refused, at each of its calls that change the disk, one after the other."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xxhash

from mlbuild.store import DiskActionCache, DiskStore
from mlbuild.terms import Digest

STRACE = shutil.which("strace")

WORK = """
import io, sys
from pathlib import Path
from mlbuild.diagnostics import UserError
from mlbuild.store import DiskActionCache, DiskStore
from mlbuild.terms import Digest, FileValue, SpawnResult
folder = Path(sys.argv[1])
try:
    store = DiskStore(folder)
    cache = DiskActionCache(folder, store)
    small, big = store.put(b"small"), store.put_stream(io.BytesIO(bytes(2 << 20)))
    cache.record(Digest.of(b"key"), SpawnResult(0, (("a", FileValue(small)), ("b", FileValue(big)))))
except UserError as error:
    sys.exit(int(error.exit_code))
"""


def run_with(folder: Path, call: str, effect: str, when: int) -> int:
    assert STRACE is not None
    inject = f"inject={call}:{effect}:when={when}"
    command = [STRACE, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, sys.executable, "-S", "-c", WORK]
    paths = {"PYTHONPATH": str(Path(xxhash.__file__).parents[1])}
    done = subprocess.run(
        [*command, str(folder)], cwd=Path(__file__).parents[2], capture_output=True, check=False,
        env={**os.environ, **paths},
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode


def check(folder: Path) -> None:
    """Every blob is right, a result that is found can be had, nothing is left over, and the same work succeeds."""
    store = DiskStore(folder)
    for blob in folder.glob("cas/*/*"):
        assert Digest.of(blob.read_bytes()).hash == blob.name
    found = DiskActionCache(folder, store).lookup(Digest.of(b"key"))
    for _, value in found.outputs if found else ():
        store.get(value.digest)
    store.close()
    assert list((folder / "tmp").iterdir()) == []
    assert not (folder / "quarantine").exists()


@pytest.mark.skipif(STRACE is None, reason="strace is not on this machine")
@pytest.mark.parametrize(
    ("call", "effect"),
    [
        ("rename", "signal=SIGKILL"),
        ("mkdir", "signal=SIGKILL"),
        ("write", "signal=SIGKILL"),
        ("syncfs", "signal=SIGKILL"),
        ("rename", "error=EIO"),
        ("write", "error=ENOSPC"),
        ("syncfs", "error=EIO"),
        ("fchmod", "error=EPERM"),
    ],
)
def test_nothing_wrong_is_left(tmp_path: Path, call: str, effect: str) -> None:
    assert STRACE is not None
    if subprocess.run([STRACE, "-o", "/dev/null", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("strace may not trace here")
    ends: list[int] = []
    for when in range(1, 30):
        folder = tmp_path / str(when)
        ends.append(run_with(folder, call, effect, when))
        if ends[-3:] == [0, 0, 0]:
            break
        check(folder)
    assert ends[-3:] == [0, 0, 0]
    # A note about flushes that cannot be written is done without.
    assert set(ends[:-3]) - {0} == {-9 if effect == "signal=SIGKILL" else 36}
