"""What the pages make of a box's findings."""

from __future__ import annotations

import pytest

from provisioning.cityhall.staff.box_status import box_status
from provisioning.cityhall.tables import Box

NOW = 1_800_000_000


def box(findings: list[str], *, state: str = "active", heard: int = NOW) -> Box:
    return Box(
        name="plaza-1",
        state=state,
        certificate_until=NOW + 20 * 86400,
        heartbeat_at=heard,
        skew_seconds=0,
        facts={"findings": findings},
    )


@pytest.mark.parametrize(
    ("findings", "state"),
    [([], "well"), (["disk.nearly_full"], "attention"), (["documents.voided", "disk.nearly_full"], "trouble")],
)
def test_certificates_that_were_given_out_and_voided_need_a_person_first(findings: list[str], state: str) -> None:
    assert box_status(box(findings), NOW, 900).state == state


def test_what_is_of_the_past_is_no_alarm() -> None:
    assert box_status(box(["documents.voided"], heard=NOW - 7200), NOW, 900).state == "silent"
    assert box_status(box(["documents.voided"], state="revoked"), NOW, 900).state == "revoked"
