"""Records behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Mapping
from typing import ClassVar

import pytest

from mlbuild.records import FrozenRecordError, as_dict, entity, field, ordered_record, record, replace


@record
class Point:
    """A place."""

    kind: ClassVar[str] = "point"

    x: int
    y: int = 0

    def moved(self) -> Point:
        return replace(self, x=self.x + 1)


@record
class Named(Point):
    name: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    secret: str = field(default="", repr=False)


@ordered_record
class Version:
    major: int
    minor: int = 0


@entity
class Node:
    label: str


@record
class Empty:
    pass


def test_the_constructor_takes_fields_by_place_and_by_name() -> None:
    assert (Point(1).x, Point(1).y, Point(1, 2).y, Point(y=3, x=1).y) == (1, 0, 2, 3)
    assert Named(1, 2, "a").name == "a"
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(1, z=2)  # type: ignore[call-arg]


def test_equality_and_hash_are_by_value_and_class() -> None:
    assert Point(1, 2) == Point(1, 2) and hash(Point(1, 2)) == hash(Point(1, 2))
    assert Point(1, 2) != Point(2, 1)
    assert Point(1, 0) != Named(1, 0)
    assert Point(1, 2) != (1, 2)
    assert Empty() == Empty() and len({Empty(), Empty()}) == 1
    assert Node("a") != Node("a")
    assert len({Node("a"), Node("a")}) == 2


def test_order_is_that_of_the_fields() -> None:
    assert sorted([Version(2), Version(1, 5), Version(1)]) == [Version(1), Version(1, 5), Version(2)]
    assert Version(1) <= Version(1) < Version(1, 1) and Version(2) >= Version(2) > Version(1)
    with pytest.raises(TypeError):
        assert Point(1) < Point(2)  # type: ignore[operator]


def test_nothing_can_be_assigned() -> None:
    point = Point(1)
    with pytest.raises(FrozenRecordError, match="cannot assign to field 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenRecordError, match="cannot assign"):
        point.z = 2  # type: ignore[attr-defined]
    with pytest.raises(FrozenRecordError, match="cannot delete"):
        del point.x
    assert not hasattr(point, "__dict__")


def test_a_factory_makes_a_value_for_each() -> None:
    assert Named(1).notes == {} and Named(1).notes is not Named(1).notes
    assert Named(1, notes={"a": "b"}).notes == {"a": "b"}


def test_a_copy_with_changes() -> None:
    assert Point(1, 2).moved() == Point(2, 2)
    assert replace(Named(1, name="a"), name="b") == Named(1, name="b")
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        replace(Point(1), z=1)


def test_text_copies_and_patterns() -> None:
    assert repr(Named(1, secret="s")) == "Named(x=1, y=0, name='', notes={})"
    assert as_dict(Point(1)) == {"x": 1, "y": 0}
    for value in (Point(1, 2), Named(1, notes={"a": "b"}), Version(3)):
        assert pickle.loads(pickle.dumps(value)) == value == copy.deepcopy(value)
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
    assert Point.kind == "point" and Point.__doc__ == "A place."


def test_nothing_heavy_is_imported() -> None:
    code = "import sys, mlbuild.records; print([name for name in ('dataclasses', 'inspect', 'typing', 're') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
