"""Several processes at one store, some of them killed."""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlbuild.store import DiskStore
from mlbuild.terms import Digest

PUT = """
import sys
from pathlib import Path
from mlbuild.store import DiskStore
import io, random
store = DiskStore(Path(sys.argv[1]))
print("ready", flush=True)
source = random.Random(int(sys.argv[2]))
while True:
    data = source.randbytes(source.choice((100, 60_000, 1_500_000)))
    store.put_stream(io.BytesIO(data))
    print(len(data), flush=True)
"""


def all_blobs(folder: Path) -> list[Path]:
    return sorted(folder.glob("cas/*/*"))


def start(folder: Path, seed: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", PUT, str(folder), str(seed)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_a_process_killed_at_work_leaves_no_wrong_blob_and_no_litter(tmp_path: Path) -> None:
    chance = random.Random(7)
    for seed in range(8):
        process = start(tmp_path, seed)
        assert process.stdout is not None
        for _ in range(chance.randrange(1, 6)):
            process.stdout.readline()
        threading.Event().wait(chance.random() / 200)
        process.send_signal(signal.SIGKILL)
        process.wait()
    store = DiskStore(tmp_path)
    blobs = all_blobs(tmp_path)
    assert blobs
    for blob in blobs:
        data = blob.read_bytes()
        assert Digest.of(data).hash == blob.name
    # The first file that is made finds what the dead have left.
    store.put(b"next")
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    store.close()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_two_processes_put_the_same_blobs_at_once(tmp_path: Path) -> None:
    processes = [start(tmp_path, 3), start(tmp_path, 3)]
    sizes: list[list[int]] = []
    for process in processes:
        assert process.stdout is not None
        sizes.append([int(process.stdout.readline()) for _ in range(10)])
    for process in processes:
        process.kill()
        process.wait()
    assert sizes[0] == sizes[1]
    store = DiskStore(tmp_path)
    for blob in all_blobs(tmp_path):
        assert store.get(Digest(blob.name, blob.stat().st_size)) == blob.read_bytes()
    assert not (tmp_path / "quarantine").exists()


def test_many_threads_put_and_get_the_same_blobs(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    wrong: list[object] = []

    def work() -> None:
        try:
            for number in range(100):
                data = bytes([number]) * 1000
                assert store.get(store.put(data)) == data
                assert store.open(Digest.of(data)).read() == data
                store.flush()
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(all_blobs(tmp_path)) == 100


def test_a_living_process_keeps_its_temporary_files(tmp_path: Path) -> None:
    process = start(tmp_path, 1)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        theirs = set((tmp_path / "tmp").iterdir())
        store = DiskStore(tmp_path)
        store.put(b"x")
        assert theirs < set((tmp_path / "tmp").iterdir())
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("name", ["cas", "tmp"])
def test_the_folders_are_for_their_owner_alone(tmp_path: Path, name: str) -> None:
    DiskStore(tmp_path / "cache").put(b"x")
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "cache" / name).stat().st_mode & 0o777 == 0o700
