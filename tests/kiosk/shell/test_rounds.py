"""What breaks in a thread of the kiosk is told with its places, and nothing that it held."""

from __future__ import annotations

import json
import threading
from io import StringIO
from itertools import count

from device.logs import open_log
from kiosk.shell.rounds import Rounds, Workers


def _broken() -> None:
    raise LookupError("広場 花子")


def _told(stream: StringIO) -> dict[str, object]:
    assert "花子" not in stream.getvalue()
    told: dict[str, object] = json.loads(stream.getvalue().splitlines()[0])
    return told


def _innermost(told: dict[str, object]) -> str:
    places = told["places"]
    assert isinstance(places, list)
    return str(places[-1])


def test_a_worker_that_breaks_is_told_with_its_places() -> None:
    stream = StringIO()
    workers = Workers(open_log("kiosk", stream))
    workers.spawn("printing", _broken)
    workers.stop()
    told = _told(stream)
    assert (told["event"], told["worker"], told["error"]) == ("worker_failed", "printing", "LookupError")
    assert _innermost(told).endswith(" _broken")


def test_a_round_that_breaks_is_told_with_its_places_and_comes_again() -> None:
    stream, third = StringIO(), threading.Barrier(2)
    log = open_log("kiosk", stream)
    workers, begun = Workers(log), count(1)

    def work() -> None:
        if next(begun) == 3:
            third.wait(60)
        _broken()

    Rounds(workers, log).run("look", 0.001, work)
    third.wait(60)
    workers.stop()
    told = _told(stream)
    assert (told["event"], told["round"]) == ("round_failed", "look")
    assert _innermost(told).endswith(" _broken")
