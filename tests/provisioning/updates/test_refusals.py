"""N10: unsigned, older, expired, mixed, frozen, truncated or changed software is refused, and the box runs on."""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from device.clock import JST, HeldClock
from provisioning.updates.errors import (
    BundleDamaged,
    BundleError,
    BundleExpired,
    BundleOlder,
    BundleUnsigned,
    ClockBehind,
    NoneForThisBox,
    SourceUnreachable,
    TrustMissing,
)
from provisioning.updates.keys import KeyFolder
from provisioning.updates.repository import Repository
from tests.provisioning.updates.city import BoxUnderTest, box_of, publish, publisher, tiny_bundle

METADATA = "metadata"


@pytest.fixture
def city(tmp_path: Path) -> Repository:
    made = publisher(tmp_path / "city")
    publish(made, "one")
    return made


@pytest.fixture
def box(city: Repository, tmp_path: Path) -> BoxUnderTest:
    made = box_of(city, tmp_path / "box")
    assert made.update() == "installed"
    return made


def refused(box: BoxUnderTest, kind: type[BundleError], running: str = "one") -> None:
    before = sorted(p.name for p in (box.folder / "slots").rglob("*"))
    with pytest.raises(kind):
        box.update()
    assert box.runs() == running
    assert box.ran.count("two") == 0
    assert sorted(p.name for p in (box.folder / "slots").rglob("*")) == before


def newest(city: Repository, role: str) -> Path:
    files = (city.folder / METADATA).glob(f"*.{role}.json")
    return max(files, key=lambda file: int(file.name.split(".")[0]))


def bundle_file(city: Repository, version: str) -> Path:
    (found,) = (city.folder / "targets").glob(f"*hiroba-{version}-*")
    return found


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_metadata_whose_signature_was_taken_off_is_refused(city: Repository, box: BoxUnderTest, role: str) -> None:
    publish(city, "two")
    file = city.folder / METADATA / "timestamp.json" if role == "timestamp" else newest(city, role)
    document = json.loads(file.read_text())
    document["signatures"] = []
    file.write_text(json.dumps(document))
    # A snapshot is named by hash in the signed timestamp, so its change is seen before its signature is.
    refused(box, BundleDamaged if role == "snapshot" else BundleUnsigned)


def test_a_repository_signed_by_other_keys_is_refused(city: Repository, box: BoxUnderTest, tmp_path: Path) -> None:
    other = publisher(tmp_path / "other")
    for version in ("two", "two-a", "two-b"):
        publish(other, version)
    box.repo = other.folder
    refused(box, BundleUnsigned)


def test_a_new_root_that_the_old_root_key_did_not_sign_is_refused(city: Repository, box: BoxUnderTest) -> None:
    thief = Repository(city.folder, KeyFolder(city.folder.parent / "thief"), city.clock)
    genuine = city.folder / METADATA
    kept = genuine.with_name("kept")
    genuine.rename(kept)
    thief.create()
    stolen = json.loads((genuine / "1.root.json").read_text())
    stolen["signed"]["version"] = 2
    shutil.rmtree(genuine)
    kept.rename(genuine)
    (genuine / "2.root.json").write_text(json.dumps(stolen))
    refused(box, BundleUnsigned)


def test_an_older_publication_is_refused_by_a_box_that_saw_a_newer(city: Repository, box: BoxUnderTest) -> None:
    old = city.folder.with_name("old")
    shutil.copytree(city.folder, old)
    publish(city, "two-good")
    box.update()
    box.repo = old
    refused(box, BundleOlder, running="two-good")


def test_an_older_release_that_is_freshly_signed_is_refused(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two-good")
    box.update()
    shutil.rmtree(box.slots.updates / "trust")  # the box has lost its memory of the metadata, not its release
    older = city.folder.with_name("older")
    for part in ("keys", "repo"):
        shutil.copytree(city.folder.parent / part, older / part)
    rewound = Repository(older / "repo", KeyFolder(older / "keys"), city.clock)
    targets = rewound._load(object, "targets")
    targets.signed.targets = {k: v for k, v in targets.signed.targets.items() if "two-good" not in k}
    rewound._sign_from(targets)
    box.repo = rewound.folder
    refused(box, BundleOlder, running="two-good")


def test_pieces_of_two_publications_are_refused(city: Repository, box: BoxUnderTest) -> None:
    former = newest(city, "targets").read_bytes()
    publish(city, "two")
    newest(city, "targets").write_bytes(former)
    refused(box, BundleOlder)


def test_a_new_timestamp_with_an_older_snapshot_is_refused(city: Repository, box: BoxUnderTest) -> None:
    former = newest(city, "snapshot").read_bytes()
    publish(city, "two")
    newest(city, "snapshot").write_bytes(former)
    refused(box, BundleDamaged)


@pytest.mark.parametrize("days", [15, 400, 1200])
def test_an_expired_publication_is_refused(tmp_path: Path, days: int) -> None:
    past = HeldClock(datetime.now(JST) - timedelta(days=days))
    city = publisher(tmp_path / "city", past)
    publish(city, "two")
    refused(box_of(city, tmp_path / "box"), BundleExpired, running="first")


def test_a_mirror_that_is_frozen_is_noticed_when_its_timestamp_ends(city: Repository, box: BoxUnderTest) -> None:
    past = HeldClock(datetime.now(JST) - timedelta(days=15))
    frozen = Repository(city.folder, city.keys, past)
    frozen.renew()
    refused(box, BundleExpired)


def test_a_clock_that_was_set_back_makes_nothing_good_again(box: BoxUnderTest) -> None:
    box.clock = HeldClock(datetime.now(JST) - timedelta(days=30))
    refused(box, ClockBehind)


@pytest.mark.parametrize("left", [0, 1, 512, 5000])
def test_a_truncated_bundle_is_refused(city: Repository, box: BoxUnderTest, left: int) -> None:
    publish(city, "two")
    file = bundle_file(city, "two")
    file.write_bytes(file.read_bytes()[:left])
    refused(box, BundleDamaged)


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
@pytest.mark.parametrize("left", [0, 100])
def test_truncated_metadata_is_refused(city: Repository, box: BoxUnderTest, role: str, left: int) -> None:
    publish(city, "two")
    file = city.folder / METADATA / "timestamp.json" if role == "timestamp" else newest(city, role)
    file.write_bytes(file.read_bytes()[:left])
    refused(box, BundleDamaged)


def test_a_bundle_with_one_bit_changed_is_refused(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    file = bundle_file(city, "two")
    changed = bytearray(file.read_bytes())
    changed[600] ^= 1
    file.write_bytes(changed)
    refused(box, BundleDamaged)


def test_a_bundle_that_never_ends_is_refused(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    with bundle_file(city, "two").open("ab") as stream:
        stream.write(b"\0" * 4_000_000)
    refused(box, BundleDamaged)


def test_a_missing_bundle_or_folder_is_told_as_unreachable(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    bundle_file(city, "two").unlink()
    refused(box, SourceUnreachable)
    box.repo = city.folder / "nowhere"
    refused(box, SourceUnreachable)


def test_a_box_without_the_pinned_root_trusts_nobody(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    box.trust.unlink()
    refused(box, TrustMissing)


def test_a_release_for_another_kind_of_box_is_not_taken(tmp_path: Path) -> None:
    city = publisher(tmp_path / "city")
    from tests.provisioning.updates.city import TO_ALL

    city.publish(tiny_bundle(tmp_path / "city", "two", platform="cp313-other"), TO_ALL)
    refused(box_of(city, tmp_path / "box"), NoneForThisBox, running="first")


def test_after_every_refusal_the_genuine_update_is_still_taken(city: Repository, box: BoxUnderTest) -> None:
    publish(city, "two")
    genuine = city.folder.with_name("genuine")
    shutil.copytree(city.folder, genuine)
    newest(city, "targets").write_bytes(b"{}")
    refused(box, BundleDamaged)
    box.repo = genuine
    assert box.update() == "installed"
    assert box.runs() == "two"
