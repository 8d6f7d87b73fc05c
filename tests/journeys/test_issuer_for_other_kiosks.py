"""An issuer for kiosks on other machines, apart from city hall: mutual TLS at its nginx, city hall's list of boxes."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from device.clock import SystemClock
from kiosk.issuer import protocol as p
from kiosk.issuer.connection import CredentialFiles
from kiosk.issuer.errors import IssuerBroken, IssuerBusy, IssuerUnreachable
from provisioning.cityhall.boxes.authority import make_authority, private_pem
from provisioning.cityhall.boxes.enrolment import Refused
from provisioning.cli import hiroba
from provisioning.enrolment.identity import Identity
from tests.attacks.rogue_kiosk import RogueKiosk
from tests.fixtures.issuer_at_city_hall import ADDRESS, HonestKiosk, IssuerAtCityHall

pytestmark = pytest.mark.needs("nginx", "ipamj")
OWN = 'tls_certificate = "nginx/issuer.pem"\ntls_key = "nginx/issuer-key.pem"'


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IssuerAtCityHall]:
    made = IssuerAtCityHall(tmp_path_factory.mktemp("r"), apart=True, more=OWN)
    made.before_start = _own_certificate
    with made:
        yield made


def _own_certificate(made: IssuerAtCityHall) -> None:
    """Of the city's CA, for the issuer's own address, by the command for it."""
    where = ["--config", str(made.folder / "cityhall.toml"), "--state", str(made.hall.state)]
    asked = ["cityhall", "issuer-credential", "--name", ADDRESS, "--out", str(made.state / "nginx"), *where]
    assert CliRunner().invoke(hiroba, asked).exit_code == 0
    refused = CliRunner().invoke(hiroba, [*asked[:3], "elsewhere.example.jp", *asked[4:]])
    assert (refused.exit_code, ADDRESS in refused.output) == (2, True)


def answered(kiosk: HonestKiosk) -> bool:
    """Whether the kiosk is served; it may take until the issuer has asked for the list again."""
    try:
        return kiosk.port.health().ready
    except (IssuerBroken, IssuerBusy, IssuerUnreachable):
        return False


def until(holds: bool, kiosk: HonestKiosk) -> None:
    """The suite's own time-out bounds the waiting."""
    while answered(kiosk) is not holds:
        time.sleep(0.5)


def test_a_kiosk_that_enrolled_is_served_a_whole_visit(remote: IssuerAtCityHall) -> None:
    kiosk = remote.kiosk("plaza-1")
    until(True, kiosk)
    visit = kiosk.enter()
    assert isinstance(kiosk.document(visit, request := kiosk.ordered(visit)), p.Document)
    assert kiosk.told(visit, request, p.OutcomeKind.DELIVERED) == p.Settled(outcome=p.OutcomeKind.DELIVERED)


def test_a_revoked_one_is_refused_as_soon_as_the_list_is_asked_for_again(remote: IssuerAtCityHall) -> None:
    kiosk, other = remote.kiosk("plaza-2"), remote.kiosk("plaza-3")
    until(True, kiosk)
    remote.hall.service.enrolments.revoke("plaza-2", "hanako")
    until(False, kiosk)
    with pytest.raises(IssuerBroken, match=r"kiosk\.refused"):
        kiosk.port.challenge()
    until(True, other)


def test_a_renewed_credential_is_taken_up_without_a_restart(remote: IssuerAtCityHall) -> None:
    kiosk = remote.kiosk("plaza-4")
    until(True, kiosk)
    own = Identity(kiosk.files.certificate.parent)
    renewed = remote.hall.service.enrolments.renew("plaza-4", own.request("plaza-4"))
    assert not isinstance(renewed, Refused)
    kiosk.files.certificate.write_text("not yet whole")
    assert not answered(kiosk)
    own.keep(renewed)
    assert answered(kiosk)


def test_nobody_without_a_credential_of_the_city_is_answered(remote: IssuerAtCityHall, tmp_path: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), SystemClock().now()
    foreign = make_authority("TEST other", ["localhost"], now).issue_box("plaza-1", key.public_key(), now, 30)
    files = CredentialFiles(remote.hall.ca, tmp_path / "box.pem", tmp_path / "box.key")
    files.certificate.write_bytes(foreign.public_bytes(Encoding.PEM))
    files.key.write_bytes(private_pem(key))
    assert not answered(remote.kiosk("plaza-1", files))
    nobody = RogueKiosk(f"{ADDRESS}:{remote.port}", remote.hall.ca)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        nobody.ask("GET", "/v3/health")


def test_nothing_plain_listens(remote: IssuerAtCityHall) -> None:
    with socket.create_connection((ADDRESS, remote.port), 20) as plain:
        plain.sendall(b"GET /v3/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionResetError):
            assert plain.recv(100) == b""
