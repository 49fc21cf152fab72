"""What a collection chooses."""

from hypothesis import given
from hypothesis import strategies as st

from mlbuild.store.collect import Item, Kind, choose

SIZES = {1: 100, 2: 10, 3: 100, 4: 10, 5: 1000}
OLD_ENTRY = Item(Kind.ENTRY, "old", 5, (2,))
OLD_BLOB = Item(Kind.BLOB, "old", 5, (1,))
NEW_ENTRY = Item(Kind.ENTRY, "new", 9, (4,))
NEW_BLOB = Item(Kind.BLOB, "new", 9, (3,))
FOUR = (NEW_BLOB, OLD_BLOB, NEW_ENTRY, OLD_ENTRY)


def test_nothing_goes_from_a_cache_that_is_small_enough() -> None:
    assert choose(FOUR, SIZES, 220, keep=frozenset()) == ()


def test_the_oldest_go_first_and_entries_before_their_blobs() -> None:
    assert choose(FOUR, SIZES, 219, keep=frozenset()) == (OLD_ENTRY,)
    assert choose(FOUR, SIZES, 209, keep=frozenset()) == (OLD_ENTRY, OLD_BLOB)
    assert choose(FOUR, SIZES, 0, keep=frozenset()) == (OLD_ENTRY, OLD_BLOB, NEW_ENTRY, NEW_BLOB)


def test_a_file_is_free_when_nobody_holds_it() -> None:
    tree = Item(Kind.TREE, "tree", 1, (3, 5))
    assert choose((tree, NEW_BLOB), SIZES, 100, keep=frozenset()) == (tree,)
    assert choose((tree, NEW_BLOB), SIZES, 99, keep=frozenset()) == (tree, NEW_BLOB)


def test_what_is_linked_by_something_kept_is_not_removed_for_nothing() -> None:
    tree = Item(Kind.TREE, "tree", 9, (3, 5))
    assert choose((tree, NEW_BLOB, OLD_BLOB), SIZES, 0, keep=frozenset({Kind.TREE})) == (OLD_BLOB,)


def test_what_was_set_aside_goes_before_all_else() -> None:
    aside = Item(Kind.SET_ASIDE, "aside", 0, (5,))
    assert choose((OLD_ENTRY, aside), SIZES, 10, keep=frozenset()) == (aside,)


ITEMS = st.lists(
    st.builds(
        Item,
        st.sampled_from(Kind),
        st.text("ab", min_size=1, max_size=3),
        st.integers(0, 5),
        st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True).map(tuple),
    ),
    max_size=8,
    unique_by=lambda item: (item.kind, item.name),
)


@given(items=ITEMS, limit=st.integers(0, 1300), keep=st.frozensets(st.sampled_from(Kind)))
def test_laws(items: list[Item], limit: int, keep: frozenset[Kind]) -> None:
    chosen = choose(items, SIZES, limit, keep=keep)
    assert chosen == choose(reversed(items), SIZES, limit, keep=keep)
    assert set(chosen) <= set(items) and len(set(chosen)) == len(chosen)
    assert not any(item.kind in keep for item in chosen)
    assert [(each.used_ns, each.kind) for each in chosen] == sorted((each.used_ns, each.kind) for each in chosen)

    def left(removed: tuple[Item, ...]) -> int:
        return sum(SIZES[each] for each in {inode for item in items if item not in removed for inode in item.inodes})

    if not keep:
        assert left(chosen) <= limit
    if chosen:
        assert left(chosen[:-1]) > limit
