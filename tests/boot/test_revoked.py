"""A box that city hall has cut off. After the other tests that need city hall: its key is never taken again."""

from __future__ import annotations

import pytest

from tests.boot.container import Container
from tests.boot.test_cityhall import hall, waiting

pytestmark = [pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"), pytest.mark.timeout(900)]


def test_a_box_that_is_cut_off_is_refused_and_keeps_what_it_has_to_say(enrolled: Container) -> None:
    hall(enrolled, "revoke")
    assert waiting(enrolled) >= 1
    assert 'data-state="revoked"' in hall(enrolled, "state")
