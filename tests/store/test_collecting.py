"""Collections beside those who use the cache: what they have seen stays in reach, and what goes is the oldest."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mlbuild.files.staging import TreeStore
from mlbuild.lang import PrivateFolder
from mlbuild.reapi import encode_directory
from mlbuild.seams import BlobMissing
from mlbuild.store import DiskActionCache, DiskStore
from mlbuild.store.collect import Kind
from mlbuild.store.upkeep import Collected, amounts, collect, last_collection, verify
from mlbuild.terms import Digest, Directory, FileNode, FileValue, SpawnResult, TreeValue

REPOSITORY = Path(__file__).parents[2]
BLOCK = 4096


def key(number: int) -> Digest:
    return Digest.of(b"key %d" % number)


def data(number: int) -> bytes:
    return (b"%d " % number).ljust(BLOCK, b"x")


def record(folder: Path, *numbers: int) -> None:
    """Results 1, 2... of one block each, used at second 1, 2..."""
    store = DiskStore(folder)
    cache = DiskActionCache(folder, store)
    for number in numbers:
        cache.record(key(number), SpawnResult(0, (("out", FileValue(store.put(data(number)))),)))
        os.utime(entry(folder, number), (number, number))
    cache.close()
    store.close()


def entry(folder: Path, number: int) -> Path:
    return folder / "ac" / key(number).hash[:2] / key(number).hash


def known(folder: Path, *numbers: int) -> list[int]:
    """Those that the cache answers, with the right bytes."""
    store = DiskStore(folder)
    cache = DiskActionCache(folder, store)
    found = [number for number in numbers if cache.lookup(key(number)) is not None]
    assert all(store.get(Digest.of(data(number))) == data(number) for number in found)
    cache.close()
    store.close()
    return found


def shrink(folder: Path, limit: int) -> Collected:
    done = collect(folder, limit, limit, waits=True)
    assert done is not None
    return done


def test_the_results_used_longest_ago_go(tmp_path: Path) -> None:
    record(tmp_path, 3, 1, 4, 2)
    done = shrink(tmp_path, 4 * BLOCK)
    assert done.removed == (
        (Kind.SET_ASIDE, 0),
        (Kind.COMPILED, 0),
        (Kind.ENTRY, 2),
        (Kind.TREE, 0),
        (Kind.PROGRAM, 0),
        (Kind.BLOB, 2),
    )
    assert (done.before, done.after, done.waiting) == (8 * BLOCK, 4 * BLOCK, 0)
    assert known(tmp_path, 1, 2, 3, 4) == [3, 4]
    assert len(list(tmp_path.glob("cas/*/*"))) == 2
    last = last_collection(tmp_path)
    assert last is not None and (last.limit, last.after) == (4 * BLOCK, 4 * BLOCK)


def test_a_hit_is_a_use(tmp_path: Path) -> None:
    record(tmp_path, 1, 2, 3)
    assert known(tmp_path, 1) == [1]
    shrink(tmp_path, 2 * BLOCK)
    assert known(tmp_path, 1, 2, 3) == [1]


def test_a_use_in_the_future_counts_as_now(tmp_path: Path) -> None:
    record(tmp_path, 1, 2)
    os.utime(entry(tmp_path, 1), (1 << 33, 1 << 33))
    known(tmp_path, 1)
    assert entry(tmp_path, 1).stat().st_mtime < 1 << 33


def test_nothing_happens_below_the_limit(tmp_path: Path) -> None:
    record(tmp_path, 1)
    assert sum(count for _, count in shrink(tmp_path, 1 << 30).removed) == 0


def test_an_empty_place_can_be_collected(tmp_path: Path) -> None:
    assert shrink(tmp_path / "none", 1).after == 0


def test_what_a_store_has_seen_stays_in_its_reach(tmp_path: Path) -> None:
    record(tmp_path, 1)
    digest = Digest.of(data(1))
    for ask in (
        lambda store: store.get(digest),
        lambda store: store.open(digest).read(),
        lambda store: store.path_of(digest).read_bytes(),
    ):
        store = DiskStore(tmp_path)
        assert store.missing([digest]) == ()
        done = shrink(tmp_path, 1)
        assert done.waiting == done.after == BLOCK
        assert not list(tmp_path.glob("cas/*/*"))
        assert ask(store) == data(1)
        assert store.missing([digest]) == ()
        store.close()


def test_what_nobody_can_have_seen_goes_at_once_and_the_rest_with_the_next_collection(tmp_path: Path) -> None:
    record(tmp_path, 1)
    store = DiskStore(tmp_path)
    assert shrink(tmp_path, 1).waiting == BLOCK
    late = DiskStore(tmp_path)
    store.close()
    assert shrink(tmp_path, 1).after == 0
    late.close()
    with pytest.raises(BlobMissing):
        DiskStore(tmp_path).get(Digest.of(data(1)))


def test_generations_do_not_pile_up(tmp_path: Path) -> None:
    for number in range(5):
        record(tmp_path, number)
        shrink(tmp_path, 1)
    assert len(list((tmp_path / "leases").iterdir())) == 1
    assert list((tmp_path / "retired").iterdir()) == []


def test_a_result_recorded_beside_a_collection_keeps_its_blobs(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    cache = DiskActionCache(tmp_path, store)
    file = store.put(data(1))
    tree = store.put(encode_directory(Directory((FileNode("a", file),))))
    shrink(tmp_path, 1)
    assert not list(tmp_path.glob("cas/*/*"))
    # As an action would that has checked its outputs before the collection began.
    cache.record(key(1), SpawnResult(0, (("out", TreeValue(tree)),)))
    cache.close()
    store.close()
    shrink(tmp_path, 1 << 30)
    assert known(tmp_path, 1) == [1]
    assert verify(tmp_path).findings == ()


def test_trees_in_use_stay_with_their_blobs_and_unused_ones_go(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    root = store.put(
        encode_directory(Directory((FileNode("a", store.put(data(1))), FileNode("b", store.put(data(2)), True))))
    )
    trees = TreeStore(tmp_path / "staged", store)
    place = trees.tree(root)
    done = shrink(tmp_path, 1)
    assert not done.is_alone
    assert [count for _, count in done.removed] == [0, 0, 0, 0, 0, 2]
    assert (place / "a").read_bytes() == data(1) and (place / "b").read_bytes() == data(2)
    trees.close()
    store.close()
    assert shrink(tmp_path, 1).is_alone
    assert amounts(tmp_path).on_disk == 0
    assert os.listdir(tmp_path / "staged" / "trees") == os.listdir(tmp_path / "staged" / "programs") == []


def test_a_second_collection_does_not_wait_where_it_need_not(tmp_path: Path) -> None:
    import fcntl

    shrink(tmp_path, 1)
    with (tmp_path / "collecting").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert collect(tmp_path, 1, 1, waits=False) is None


BUILD = """
import random, sys
from pathlib import Path
from mlbuild.files.staging import TreeStore
from mlbuild.lang import PrivateFolder
from mlbuild.reapi import encode_directory
from mlbuild.store import DiskActionCache, DiskStore
from mlbuild.terms import Digest, Directory, FileNode, FileValue, SpawnResult, TreeValue
folder, seed, builds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)

def data(number):
    return random.Random(number).randbytes(9000)

def build(store, cache, trees, number):
    key = Digest.of(b"key %d" % number)
    result = cache.lookup(key)
    if result is None:
        file = store.put(data(number))
        program = store.put(data(number + 1000))
        tree = store.put(encode_directory(Directory((FileNode("a", file), FileNode("b", program, True)))))
        result = SpawnResult(0, (("file", FileValue(file)), ("tree", TreeValue(tree))))
        cache.record(key, result)
    return dict(result.outputs)

for number in range(builds):
    store = DiskStore(folder)
    cache = DiskActionCache(folder, store)
    trees = TreeStore(folder / "staged", store)
    results = {}
    for _ in range(8):
        number = chance.randrange(12)
        results[number] = build(store, cache, trees, number)
        for number, outputs in results.items():
            assert store.get(outputs["file"].digest) == data(number)
            place = trees.tree(outputs["tree"].digest)
            assert (place / "a").read_bytes() == data(number)
            assert (place / "b").read_bytes() == data(number + 1000)
            assert store.open(outputs["file"].digest).read() == data(number)
            assert not store.missing([outputs["file"].digest, outputs["tree"].digest])
    trees.close(); cache.close(); store.close()
    print("built", flush=True)
"""

COLLECT = """
import sys
from pathlib import Path
from mlbuild.store.upkeep import collect
print("ready", flush=True)
while True:
    done = collect(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[2]), waits=True)
    print(sum(count for _, count in done.removed), flush=True)
"""


def start(program: str, folder: Path, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, str(folder), *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_no_build_fails_while_everything_is_collected_all_the_time(tmp_path: Path) -> None:
    collectors = [start(COLLECT, tmp_path, limit) for limit in (1, 150_000)]
    builders = [start(BUILD, tmp_path, seed, 12) for seed in range(3)]
    try:
        for builder in builders:
            said, complaint = builder.communicate(timeout=120)
            assert (builder.returncode, said.count("built")) == (0, 12), complaint
    finally:
        for process in (*collectors, *builders):
            process.kill()
    removed = sum(int(line) for each in collectors for line in each.communicate()[0].split()[1:])
    assert removed > 100
    assert verify(tmp_path).findings == ()


def test_a_collection_killed_at_any_moment_leaves_a_cache_that_verifies(tmp_path: Path) -> None:
    chance = random.Random(11)
    kills = 0
    for seed in range(12):
        builder = start(BUILD, tmp_path, seed, 2)
        collector = start(COLLECT, tmp_path, 1)
        assert collector.stdout is not None
        collector.stdout.readline()
        threading.Event().wait(chance.random() / 20)
        collector.send_signal(signal.SIGKILL)
        collector.communicate()
        kills += 1
        _, complaint = builder.communicate(timeout=60)
        assert builder.returncode == 0, complaint
        assert verify(tmp_path).findings == ()
    assert kills == 12
    shrink(tmp_path, 1)
    assert amounts(tmp_path).on_disk == 0


def test_compiled_files_are_counted_and_the_oldest_goes(tmp_path: Path) -> None:
    folder = PrivateFolder(tmp_path / "lang", ".program")
    for number in (1, 2, 3):
        folder.write(f"{number}", data(number))
        os.utime(tmp_path / "lang" / f"{number}.program", (number, number))
    assert amounts(tmp_path).compiled.count == 3
    assert folder.read("1") == data(1)  # which is a use
    shrink(tmp_path, amounts(tmp_path).on_disk - 1)
    assert sorted(os.listdir(tmp_path / "lang")) == ["1.program", "3.program"]
