"""When a task counts as starved: apart from what the machine itself was late."""

from __future__ import annotations

from tests.guest.waiting import Crowd, Waited

S = 1_000_000_000


def test_who_waited_longest_is_named_first() -> None:
    crowd = Crowd(
        (Waited("hog", 10, S // 2, 0), Waited("a", 3, 2 * S, 0), Waited("b", 1, 3 * S, 0)), 0
    )
    said = crowd.kept_waiting()
    assert [line.split()[0] for line in said] == ["b", "a"]
    assert said[0].startswith("b was kept waiting for 3.00 s (limit 1 s; 1 steps; ")


def test_a_machine_that_was_late_is_not_the_schedulers_fault() -> None:
    assert not Crowd((Waited("hog", 10, 3 * S // 2, 0),), S * 6 // 10).kept_waiting()


def test_errors_and_tasks_that_never_ran_are_told() -> None:
    crowd = Crowd((Waited("affinity", 5, 0, 2), Waited("rcu", 0, 0, 0)), 0)
    assert crowd.mistreated() == ["affinity: 2 errors"]
    assert crowd.idle() == ["rcu"]
