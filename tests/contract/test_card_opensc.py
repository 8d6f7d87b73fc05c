"""OpenSC, which knows nothing of us, takes the virtual card for a real one (docs/sources.md#opensc)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from device.card.pcscd import PcscService
from device.card.virtual import process
from device.card.virtual.pki import DEMO_PIN, TestPki

pytestmark = pytest.mark.needs("root", "pcscd", "vpcd", "opensc", "openssl")


def _run(*command: str) -> str:
    """Output of a command that may take some time to see the card; its exit code must be 0."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def inserted(pcsc_service: PcscService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestPki]:
    """The demo card in the reader, held there by the process a demo would run."""
    pki = TestPki(tmp_path_factory.mktemp("pki"))
    pki.ensure(["demo"])
    state = tmp_path_factory.mktemp("state") / "card.json"
    process.insert(state, "demo")
    module = [sys.executable, "-m", "device.card.virtual.process"]
    where = ["--state", str(state), "--cards", str(pki.cards), "--port", str(pcsc_service.port)]
    with subprocess.Popen([*module, *where], cwd=Path(__file__).parents[2]) as running:
        _await_card()
        yield pki
        running.terminate()
    assert running.returncode == 0


def _await_card() -> None:
    until = time.monotonic() + 20
    while "jpki" not in subprocess.run(["opensc-tool", "-n"], capture_output=True, text=True, check=False).stdout:
        assert time.monotonic() < until, "OpenSC does not see the card"
        time.sleep(0.1)


@pytest.fixture(autouse=True)
def untouched(inserted: TestPki) -> None:
    """Every test begins with all tries."""
    (inserted.cards / "demo" / "tries.json").unlink(missing_ok=True)


def _tries() -> list[str]:
    return [line.split()[-1] for line in _run("pkcs15-tool", "--list-pins").splitlines() if "Tries left" in line]


def test_opensc_lists_the_certificates_and_hides_the_protected_one(inserted: TestPki) -> None:
    listed = _run("pkcs15-tool", "--list-certificates")
    assert listed.count("X.509 Certificate") >= 3
    assert "User Authentication Certificate" in listed
    pem = _run("pkcs15-tool", "--read-certificate", "1")
    start = pem.index("-----BEGIN")
    read = x509.load_pem_x509_certificate(pem[start:].encode())
    assert read.public_bytes(Encoding.DER) == inserted.credential("demo")


def test_opensc_reads_both_counters(inserted: TestPki) -> None:
    assert _tries() == ["3", "5"]


def test_opensc_signs_and_openssl_says_verified(inserted: TestPki, tmp_path: Path) -> None:
    certificate = x509.load_der_x509_certificate(inserted.credential("demo"))
    key, text, signature = tmp_path / "key.pem", tmp_path / "text", tmp_path / "signature"
    key.write_bytes(certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    text.write_bytes("ひろば".encode())
    paths = ["--input-file", str(text), "--output-file", str(signature)]
    _run("pkcs11-tool", "--login", "--pin", DEMO_PIN, "--sign", "-m", "SHA256-RSA-PKCS", "--id", "01", *paths)
    verdict = _run("openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature), str(text))
    assert "Verified OK" in verdict


def test_opensc_spends_a_try_on_a_wrong_pin(inserted: TestPki) -> None:
    command = ["pkcs15-tool", "--verify-pin", "--auth-id", "01", "--pin", "9999"]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
    assert _tries() == ["2", "5"]
