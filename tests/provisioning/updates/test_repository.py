"""The publisher's folder: keys that stay closed or are replaced, releases that count up, HTTPS."""

from __future__ import annotations

import functools
import http.server
import json
import ssl
import stat
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from device.clock import JST, HeldClock
from device.secrets import Secret
from provisioning.updates.client import Client, HttpsFetcher, fetcher_for
from provisioning.updates.errors import (
    BundleExpired,
    BundleUnsigned,
    KeyUnusable,
    RepositoryUnusable,
    SourceUnreachable,
)
from provisioning.updates.keys import ROLES, KeyFolder
from provisioning.updates.repository import KEPT, Repository
from tests.fixtures.tls import write_test_credential
from tests.provisioning.updates.city import TO_ALL, box_of, clock_at, publish, publisher, tiny_bundle


@pytest.fixture
def city(tmp_path: Path) -> Repository:
    return publisher(tmp_path / "city")


def test_keys_are_readable_by_their_owner_alone(city: Repository) -> None:
    modes = {role: stat.S_IMODE(city.keys.file(role).stat().st_mode) for role in ROLES}
    assert modes == dict.fromkeys(ROLES, 0o600)


def test_a_key_with_a_passphrase_opens_with_it_alone(tmp_path: Path) -> None:
    KeyFolder(tmp_path, passphrase=Secret(b"TEST phrase")).make("targets")
    assert b"ENCRYPTED" in (tmp_path / "targets.pem").read_bytes()
    assert KeyFolder(tmp_path, passphrase=Secret(b"TEST phrase")).load("targets")
    for wrong in (None, Secret(b"TEST other")):
        with pytest.raises(KeyUnusable):
            KeyFolder(tmp_path, passphrase=wrong).load("targets")


def test_a_key_is_never_written_over(city: Repository) -> None:
    with pytest.raises(KeyUnusable):
        city.keys.make("root")


def test_publishing_needs_no_root_key(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path / "keys", root=tmp_path / "safe")
    made = Repository(tmp_path / "repo", keys, clock_at("2026-11-01"))
    made.create()
    (tmp_path / "safe" / "root.pem").unlink()
    assert publish(made, "two").release == 1


def test_a_repository_is_not_begun_twice(city: Repository) -> None:
    with pytest.raises(RepositoryUnusable):
        city.create()


def test_release_numbers_count_up_even_when_the_newest_is_withdrawn(city: Repository) -> None:
    assert [publish(city, v).release for v in ("a", "b", "c")] == [1, 2, 3]
    targets = city._load(object, "targets")
    targets.signed.targets.clear()
    city._sign_from(targets)
    assert publish(city, "d").release == 4


def test_old_releases_leave_the_folder(city: Repository) -> None:
    for number in range(KEPT + 2):
        publish(city, f"v{number}")
    assert sorted(o.version for o in city.offers().values()) == ["v2", "v3", "v4"]
    assert len(list((city.folder / "targets").iterdir())) == KEPT


@pytest.mark.parametrize("role", ROLES)
def test_a_replaced_key_is_followed_by_boxes_and_the_former_is_worth_nothing(
    city: Repository, tmp_path: Path, role: str
) -> None:
    box = box_of(city, tmp_path / "box")
    publish(city, "two")
    box.update()
    city.replace_key(role)
    publish(city, "three")
    assert box.update() == "installed"
    stolen = city.keys.file(role).with_name(f"{role}.old1.pem")
    city.keys.file(role).write_bytes(stolen.read_bytes())
    publish(city, "four") if role != "root" else city.replace_key("timestamp")
    with pytest.raises(BundleUnsigned):
        box.update()
    assert box.runs() == "three"


def test_a_renewed_timestamp_makes_an_old_publication_good_again(tmp_path: Path) -> None:
    clock = HeldClock(datetime.now(JST) - timedelta(days=20))
    city = publisher(tmp_path / "city", clock)
    publish(city, "two")
    box = box_of(city, tmp_path / "box")
    with pytest.raises(BundleExpired):
        box.update()
    clock.advance(20 * 86400)
    city.renew()
    assert box.update() == "installed"


def test_a_key_folder_shows_no_key_in_errors_or_repr(tmp_path: Path) -> None:
    (tmp_path / "targets.pem").write_text("TEST not a key")
    with pytest.raises(KeyUnusable) as caught:
        KeyFolder(tmp_path).load("targets")
    assert "TEST not a key" not in str(caught.value)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def https(city: Repository, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    certificate, key = write_test_credential(tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(city.folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}", certificate
    server.shutdown()
    server.server_close()


def test_a_box_takes_an_update_over_https(city: Repository, tmp_path: Path, https: tuple[str, Path]) -> None:
    publish(city, "two")
    box = box_of(city, tmp_path / "box")
    url, certificate = https
    fetcher = HttpsFetcher(url, certificate)
    source = Client(url, fetcher, trust=box.trust, memory=tmp_path / "memory", clock=box.clock)
    assert box.installer().update(source) == "installed"
    assert box.runs() == "two"


def test_a_server_whose_certificate_is_not_trusted_is_not_asked(
    city: Repository, tmp_path: Path, https: tuple[str, Path]
) -> None:
    box = box_of(city, tmp_path / "box")
    source = Client(https[0], HttpsFetcher(https[0]), trust=box.trust, memory=tmp_path / "memory", clock=box.clock)
    with pytest.raises(SourceUnreachable):
        box.installer().update(source)


@pytest.mark.parametrize("address", ["http://mirror.example.jp", "ftp://mirror.example.jp", "file:///etc"])
def test_only_https_and_folders_are_sources(address: str) -> None:
    with pytest.raises(SourceUnreachable):
        fetcher_for(address)


def test_a_file_that_is_no_bundle_is_not_published(city: Repository, tmp_path: Path) -> None:
    from provisioning.updates.errors import BundleDamaged

    (tmp_path / "holiday.tar").write_bytes(b"not a bundle")
    with pytest.raises(BundleDamaged):
        city.publish(tmp_path / "holiday.tar", TO_ALL)


def test_a_signed_bundle_that_says_another_platform_of_itself_is_refused(tmp_path: Path) -> None:
    from provisioning.updates.environment import fill
    from provisioning.updates.errors import WrongPlatform

    with pytest.raises(WrongPlatform):
        fill(tiny_bundle(tmp_path, "two", platform="cp399-other"), tmp_path / "slot")


def test_what_is_published_says_nothing_of_the_publisher_s_machine(city: Repository) -> None:
    publish(city, "two")
    texts = "".join(file.read_text() for file in (city.folder / "metadata").iterdir())
    assert str(city.folder.parent) not in texts
    assert json.loads((city.folder / "metadata" / "timestamp.json").read_text())["signed"]["version"] == 2
