"""The power goes and comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from provisioning.updates.disk import Disk
from provisioning.updates.errors import TrialFailed
from provisioning.updates.steps import Step
from tests.provisioning.updates.city import BoxUnderTest
from tests.provisioning.updates.power import PowerCut


def start_again(box: BoxUnderTest) -> None:
    """The power is back: recover, then the services, then settle."""
    box.disk = Disk()
    assert box.runs()  # there is something to start
    box.installer().recover()
    box.starts()
    with suppress(TrialFailed):
        box.installer().settle(after_start=True)
    assert box.slots.trial() is None
    assert not box.runs().startswith("ill")
    assert box.is_of_one_release()


def at(wanted: Step) -> Callable[[Step], None]:
    """The power is cut when ``wanted`` is told."""

    def cut(step: Step) -> None:
        if step is wanted:
            raise PowerCut

    return cut
