"""Everything with an end date that this box holds: X.509 credentials, its own and those it trusts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from device.health.finding import Finding, absent, error, ok, warning
from provisioning.doctor.examined_box import ExaminedBox


def check(box: ExaminedBox) -> list[Finding]:
    """Reads every file that the site file names."""
    found = [credential(name, path, box.clock.now()) for name, path in _own(box).items()]
    return [*found, *_trusted(box)] or [absent("credential.none")]


def credential(name: str, path: Path, now: datetime) -> Finding:
    """One X.509 file, PEM or DER."""
    try:
        body = path.read_bytes()
        found = (x509.load_pem_x509_certificate if b"-----BEGIN" in body else x509.load_der_x509_certificate)(body)
    except (OSError, ValueError):
        return judge(name, None, 0)
    start, end = found.not_valid_before_utc, found.not_valid_after_utc
    day = timedelta(days=1)
    return judge(name, (end - now) // day, (end - start) // day, not_yet=start > now)


def judge(name: str, days_left: int | None, days_valid: int, not_yet: bool = False) -> Finding:
    """name: which one. days_left: None when it cannot be read. Warned when a fifth of its life is left, at most 60."""
    if days_left is None:
        return error("credential.unreadable", name=name)
    facts: dict[str, str | int | float] = {"name": name, "days_left": days_left}
    if not_yet:
        return error("credential.not_yet_valid", **facts)
    if days_left < 0:
        return error("credential.expired", **facts)
    soon = min(60, max(3, days_valid // 5))
    return warning("credential.expires_soon", **facts) if days_left < soon else ok("credential.valid", **facts)


def superseded(found: Finding) -> Finding:
    """An expired CA beside one that is valid: the cards it signed are refused, and nothing waits for it."""
    return absent("credential.superseded", **found.facts) if found.code == "credential.expired" else found


def _own(box: ExaminedBox) -> dict[str, Path]:
    wifi, hall, link = box.site.wifi, box.site.cityhall, box.site.cityhall_link
    files: dict[str, Path] = {}
    if wifi and wifi.portal.tls_certificate:
        files["portal"] = box.state / wifi.portal.tls_certificate
    if link:
        files |= {"box": box.state / "enrolment" / "box.pem", "city-ca": box.state / link.ca}
    if box.site.issuer and box.site.issuer.tls_certificate:
        files["issuer"] = box.state / box.site.issuer.tls_certificate
    if hall and hall.certificate:
        files["cityhall"] = box.state / hall.certificate
    return files


def _trusted(box: ExaminedBox) -> list[Finding]:
    """The CAs of cards, generations side by side: that an old one is over is no fault while another is valid."""
    if not box.site.issuer:
        return []
    kept = sorted((box.state / box.site.issuer.trust).glob("*"))
    files = [path for path in kept if path.suffix in (".pem", ".cer", ".crt", ".der")]
    found = [credential(f"trust-{number}", path, box.clock.now()) for number, path in enumerate(files, 1)]
    valid = any(finding.code == "credential.valid" for finding in found)
    return [superseded(finding) if valid else finding for finding in found]
