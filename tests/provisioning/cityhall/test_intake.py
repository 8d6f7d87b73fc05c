"""Messages at city hall: each counts once, whatever happened on the way."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.clock import HeldClock
from device.logs import open_log
from device.outbox import OUTBOX_MIGRATIONS, Message, Outbox
from device.sender import LineDown, Sender
from device.store import SMALL_PAGE, Store
from device.uuid7 import Uuid7
from provisioning.cityhall.boxes.intake import KEPT_SECONDS, LATE_SECONDS, Batch, Envelope
from provisioning.cityhall.tables import Box
from tests.provisioning.cityhall.conftest import Hall, open_hall


def envelope(at: int, **more: object) -> Envelope:
    whole = {"id": str(Uuid7().make(at * 1000)), "kind": "heartbeat", "at": at, "count": 1, "facts": {}, **more}
    return msgspec.convert(whole, Envelope)


def take(hall: Hall, *messages: Envelope, sent_at: int | None = None) -> list[str]:
    batch = Batch(sent_at=hall.now if sent_at is None else sent_at, messages=list(messages))
    return list(hall.service.intake.take("plaza-1", batch).values())


def counted(hall: Hall, box: str = "plaza-1") -> int:
    found = hall.service.records.box(box)
    assert found is not None
    return found.heartbeats


def test_a_replayed_batch_counts_once(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    batch = [envelope(hall.now) for _ in range(3)]
    assert take(hall, *batch) == ["stored"] * 3
    assert take(hall, *batch, envelope(hall.now)) == ["duplicate"] * 3 + ["stored"]
    assert counted(hall) == 4


def test_an_id_twice_in_one_batch_counts_once(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    message = envelope(hall.now)
    take(hall, message, message)
    assert counted(hall) == 1


def test_one_box_can_not_use_up_another_boxes_ids(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    hall.enrolled("plaza-2")
    message = envelope(hall.now)
    take(hall, message)
    answer = hall.service.intake.take("plaza-2", Batch(sent_at=hall.now, messages=[message]))
    assert list(answer.values()) == ["stored"]


def test_thirty_days_late_is_taken_and_later_is_not(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    old, older = envelope(hall.now - LATE_SECONDS), envelope(hall.now - LATE_SECONDS - 1)
    assert take(hall, old, older) == ["stored", "too_old"]
    assert counted(hall) == 1


def test_the_messages_of_a_box_without_a_clock_are_taken(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    assert take(hall, envelope(120)) == ["stored"]  # two minutes past 1970, sent when the clock was right


def test_a_clock_that_is_off_is_noted(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    take(hall, envelope(hall.now - 600), sent_at=hall.now - 600)
    found = hall.service.records.box("plaza-1")
    assert found is not None
    assert found.skew_seconds == 600


def test_what_is_not_enumerated_is_not_kept(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    strange = [envelope(hall.now, kind="gossip"), envelope(hall.now, facts={"version": "山田 太郎"})]
    assert take(hall, *strange) == ["not_enumerated"] * 2
    assert hall.service.records.counted() == 0


def test_ids_are_forgotten_only_when_their_messages_would_be_too_late_anyway(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    message = envelope(hall.now)
    take(hall, message)
    hall.clock.advance(KEPT_SECONDS)
    assert hall.service.intake.tidy() == 0
    hall.clock.advance(1)
    assert hall.service.intake.tidy() == 1
    assert take(hall, message) == ["too_old"]


@pytest.fixture(scope="module")
def campaign() -> Iterator[Hall]:
    folder = Path(tempfile.mkdtemp(prefix="hiroba-campaign-"))
    hall = open_hall(folder)
    yield hall
    hall.service.database.close()
    shutil.rmtree(folder)


class Plaza:
    """A box with an outbox, and a line on which everything can happen."""

    def __init__(self, hall: Hall, folder: Path, clock: HeldClock) -> None:
        self.hall, self.clock, self.put = hall, clock, 0
        self._folder, self._name = folder, f"box-{uuid.uuid4().hex[:12]}"
        with hall.service.database.transaction() as session:
            made = {"enrolled_at": 0, "certificate_serial": "1", "certificate_until": 2**33, "state": "active"}
            session.add(Box(name=self._name, key=uuid.uuid4().hex, skew_seconds=0, heartbeats=0, facts={}, **made))
        self._sent: list[Batch] = []
        self._open()

    def _open(self) -> None:
        self._store = Store(self._folder / f"{self._name}.db", OUTBOX_MIGRATIONS, page_bytes=SMALL_PAGE, brief=True)
        self._outbox = Outbox(self._store, self.clock)

    def do(self, act: str) -> None:
        getattr(self, f"_{act}")()

    def _beat(self) -> None:
        self._outbox.put("heartbeat", version="1.0.0")
        self.put += 1

    def _tell(self) -> None:
        self._at_once(self._arrive)

    def _tell_nobody(self) -> None:
        self._at_once(self._unheard)

    def _tell_unanswered(self) -> None:
        self._at_once(lambda batch: self._unheard(self._arrive(batch)))

    def _at_once(self, post: Callable[[Sequence[Message]], list[str]]) -> None:
        """As ``hiroba heartbeat`` does."""
        Sender(self._outbox, post, open_log("test")).tell(self._outbox.make("heartbeat", version="1.0.0"))
        self.put += 1

    @staticmethod
    def _unheard(_sent: object) -> list[str]:
        raise LineDown(reason="timeout")

    def _crash(self) -> None:
        """The power is cut: only what is on the card remains."""
        self._store.close()
        self._open()

    def _collapse(self) -> None:
        self._outbox.collapse()

    def _lose_question(self) -> None:
        self._outbox.batch(7)

    def _lose_answer(self) -> None:
        self._arrive(self._outbox.batch(7))

    def _deliver(self) -> None:
        self._outbox.acknowledged(self._arrive(self._outbox.batch(7)))

    def _replay(self) -> None:
        """An old batch arrives once more, as from a proxy."""
        if self._sent:
            self.hall.service.intake.take(self._name, self._sent[len(self._sent) // 2])

    def _step_back(self) -> None:
        self.clock.step(-3 * 86400)

    def _step_forward(self) -> None:
        self.clock.step(2 * 86400)

    def _arrive(self, messages: Sequence[Message]) -> list[str]:
        sent_at = max(int(self.clock.now().timestamp()), 0)
        fields = [{"id": m.id, "kind": m.kind, "at": m.at, "count": m.count, "facts": m.facts} for m in messages]
        self._sent.append(Batch(sent_at=sent_at, messages=msgspec.convert(fields, list[Envelope])))
        return list(self.hall.service.intake.take(self._name, self._sent[-1]))

    def settle(self) -> int:
        """The line is good again: everything is sent. What city hall has counted."""
        while batch := self._outbox.batch():
            self._outbox.acknowledged(self._arrive(batch))
        self._store.close()
        return counted(self.hall, self._name)


ACTS = ["beat", "beat", "crash", "collapse", "lose_question", "lose_answer", "deliver", "replay", "step_back"]
acts = st.lists(st.sampled_from([*ACTS, "step_forward", "tell", "tell_nobody", "tell_unanswered"]), max_size=14)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts, st.booleans())
def test_any_order_of_crash_loss_duplicate_and_clock_step_counts_each_heartbeat_once(
    campaign: Hall, order: list[str], knows_the_year: bool
) -> None:
    clock = HeldClock(campaign.clock.now())
    if not knows_the_year:
        clock.step(-campaign.now)
    plaza = Plaza(campaign, campaign.state, clock)
    for act in order:
        plaza.do(act)
    assert plaza.settle() == plaza.put


def test_the_service_forgets_by_itself_as_messages_come(hall: Hall) -> None:
    hall.enrolled("plaza-1")
    take(hall, envelope(hall.now))
    hall.clock.advance(KEPT_SECONDS + 1)
    assert take(hall, envelope(hall.now)) == ["stored"]
    assert hall.service.records.counted() == 1  # the old one has gone; the box's sum has not
    assert counted(hall) == 2
