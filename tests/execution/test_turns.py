"""Equal work is done by one at a time."""

import threading

import pytest

from mlbuild.execution.turns import Turns
from mlbuild.terms import Digest

KEY, OTHER = Digest.of(b"key"), Digest.of(b"other")


def test_who_comes_second_waits_and_knows_it() -> None:
    turns, within, order = Turns(), threading.Event(), []

    def second() -> None:
        within.set()
        with turns.of(KEY) as is_first:
            order.append(f"second, first: {is_first}")

    thread = threading.Thread(target=second)
    with turns.of(KEY) as is_first:
        order.append(f"first: {is_first}")
        thread.start()
        within.wait(10)
        with turns.of(OTHER) as other:
            order.append(f"another key: {other}")
    thread.join(10)
    assert order == ["first: True", "another key: True", "second, first: False"]


def test_nothing_is_kept_of_what_has_ended_even_badly() -> None:
    turns = Turns()
    for _ in range(2):
        with pytest.raises(KeyError), turns.of(KEY) as is_first:
            assert is_first
            raise KeyError
