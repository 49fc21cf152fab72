"""Which action may start next."""

from mlbuild.execution.schedule import Schedule, State
from mlbuild.terms import Resources

ONE = Resources(1, 100)


def started(schedule: Schedule) -> list[int]:
    found = []
    while (action := schedule.start_next()) is not None:
        found.append(action)
    return found


def test_an_action_starts_when_all_that_it_needs_is_done() -> None:
    schedule = Schedule(4, 1000)
    schedule.add(0, [], ONE)
    schedule.add(1, [], ONE)
    schedule.add(2, [0, 1], ONE)
    assert started(schedule) == [0, 1]
    schedule.finish(0)
    assert started(schedule) == []
    schedule.finish(1)
    assert started(schedule) == [2]


def test_the_lowest_number_starts_first() -> None:
    schedule = Schedule(1, 1000)
    for action in (2, 0, 1):
        schedule.add(action, [], ONE)
    order = []
    while (action := schedule.start_next()) is not None:
        order.append(action)
        schedule.finish(action)
    assert order == [0, 1, 2]


def test_what_depends_on_a_failure_is_skipped_and_the_rest_is_not() -> None:
    schedule = Schedule(4, 1000)
    schedule.add(0, [], ONE)
    schedule.add(1, [0], ONE)
    schedule.add(2, [1], ONE)
    schedule.add(3, [], ONE)
    assert started(schedule) == [0, 3]
    assert schedule.fail(0) == (1, 2)
    assert schedule.state(2) is State.SKIPPED
    schedule.finish(3)
    assert schedule.is_over


def test_an_action_that_does_not_fit_lets_a_smaller_one_pass() -> None:
    schedule = Schedule(2, 1000)
    schedule.add(0, [], Resources(1, 100))
    schedule.add(1, [], Resources(2, 100))
    schedule.add(2, [], Resources(1, 100))
    assert started(schedule) == [0, 2]
    schedule.finish(0)
    assert started(schedule) == []
    schedule.finish(2)
    assert started(schedule) == [1]


def test_an_action_that_wants_more_than_there_is_gets_all_of_it() -> None:
    schedule = Schedule(2, 1000)
    schedule.add(0, [], Resources(64, 10**6))
    assert started(schedule) == [0]


def test_a_parked_action_gives_back_its_resources_and_holds_back_its_dependents() -> None:
    schedule = Schedule(1, 1000)
    schedule.add(0, [], ONE)
    schedule.add(1, [0], ONE)
    assert started(schedule) == [0]
    schedule.park(0)
    schedule.add(2, [], ONE)
    assert started(schedule) == [2]
    schedule.finish(2)
    assert not schedule.is_over
    schedule.finish(0)
    assert started(schedule) == [1]


def test_a_new_action_whose_dependency_has_failed_is_skipped() -> None:
    schedule = Schedule(1, 1000)
    schedule.add(0, [], ONE)
    started(schedule)
    schedule.fail(0)
    schedule.add(1, [0], ONE)
    assert schedule.state(1) is State.SKIPPED
