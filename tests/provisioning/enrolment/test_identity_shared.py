"""Who may read a box's key: root, and the group of the processes that show it to the issuer."""

from __future__ import annotations

import grp
import stat
from pathlib import Path

import pytest

from provisioning.enrolment.identity import Identity

pytestmark = pytest.mark.needs("root")


@pytest.fixture
def group() -> grp.struct_group:
    """Any group of this machine but root's."""
    return next(one for one in grp.getgrall() if one.gr_gid)


def rights(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid


def test_a_new_key_is_for_root_and_the_group_alone(tmp_path: Path, group: grp.struct_group) -> None:
    own = Identity(tmp_path / "enrolment", group=group.gr_name)
    own.key()
    assert rights(own.key_file) == (0o640, 0, group.gr_gid)
    assert rights(own.folder) == (0o710, 0, group.gr_gid)


def test_a_key_of_an_earlier_release_is_shared_at_the_next_step(tmp_path: Path, group: grp.struct_group) -> None:
    before = Identity(tmp_path / "enrolment", group="nobody-made-this-group")
    before.key()
    assert rights(before.key_file) == (0o600, 0, 0)
    Identity(tmp_path / "enrolment", group=group.gr_name).share()
    assert rights(before.key_file) == (0o640, 0, group.gr_gid)


def test_without_a_key_nothing_is_made(tmp_path: Path, group: grp.struct_group) -> None:
    Identity(tmp_path / "enrolment", group=group.gr_name).share()
    assert list(tmp_path.iterdir()) == []
