"""What belongs in an archive, what it is called, and which old ones go."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.backup.contents import (
    SQLITE_MAGIC,
    Part,
    archive_name,
    archive_of,
    choose,
    safe,
    to_delete,
)

STAMPS = st.lists(
    st.datetimes().map(
        lambda at: f"{at.year:04d}{at.month:02d}{at.day:02d}T{at.hour:02d}{at.minute:02d}{at.second:02d}Z"
    ),
    unique=True,
    max_size=30,
)


def test_a_database_is_known_by_its_first_bytes_whatever_its_name() -> None:
    assert choose(PurePosixPath("fleet/anything"), SQLITE_MAGIC) is Part.DATABASE
    assert choose(PurePosixPath("portal/key"), b"\x01\x02") is Part.FILE


@pytest.mark.parametrize(
    "path",
    ["kiosk/kiosk.db-wal", "kiosk/kiosk.db-shm", "virtual/card.json", "log/kiosk.log", ".restore/x", "dnsmasq/leases"],
)
def test_logs_leases_and_what_belongs_to_an_open_database_stay_out(path: str) -> None:
    assert choose(PurePosixPath(path), b"") is None


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "state/../../etc/x", "state//x", "state", "manifest.json", "state/./x", "other/x", ""],
)
def test_a_path_that_leads_elsewhere_is_not_safe(path: str) -> None:
    assert not safe(path)


@given(STAMPS, st.integers(1, 20), st.sampled_from(["box", "box-1", "plaza-2026"]))
def test_rotation_keeps_the_newest_and_touches_nothing_of_other_boxes(stamps: list[str], keep: int, box: str) -> None:
    ours = [archive_name(box, stamp) for stamp in stamps]
    others = ["notes.txt", archive_name("other", "20200101T000000Z"), ".hiroba-box-20200101T000000Z.age.new"]
    gone = to_delete([*ours, *others], box, keep)
    left = sorted(set(ours) - set(gone))
    assert set(gone) <= set(ours)
    assert left == sorted(ours)[-keep:]


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,40}", fullmatch=True))
def test_an_archive_names_its_box(box: str) -> None:
    assert archive_of(archive_name(box, "20261123T041500Z")) == box
