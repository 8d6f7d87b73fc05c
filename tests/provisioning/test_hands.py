from __future__ import annotations

import threading

from provisioning.hands import Hands
from tests.fixtures.mail_server import wait_for


def test_everything_given_is_worked_on_once() -> None:
    done: list[int] = []
    hands = Hands(4, done.append)
    for number in range(500):
        hands.give(number)
    hands.shutdown()
    assert sorted(done) == list(range(500))


def test_there_are_never_more_threads_than_allowed_and_all_of_them_work_at_once() -> None:
    together, names = threading.Barrier(3), set()

    def work(_number: int) -> None:
        names.add(threading.current_thread().name)
        together.wait(10)

    hands = Hands(3, work)
    for number in range(12):
        hands.give(number)
    hands.shutdown()
    assert len(names) == 3


def test_one_thread_is_enough_for_work_that_never_overlaps() -> None:
    names: list[str] = []
    hands: Hands[int] = Hands(8, lambda _: names.append(threading.current_thread().name))
    for number in range(1, 20):
        hands.give(number)
        wait_for(lambda wanted=number: len(names) == wanted and vars(hands)["_spare"]._value > 0)  # type: ignore[misc]
    hands.shutdown()
    assert len(set(names)) == 1
