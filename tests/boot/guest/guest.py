"""Inside the guest: one step of a box with an encrypted volume, by the product's own commands.

    prepare    the volume is made on the guest's disk, opened, and a file is left on it
    start      a start of the box: opened by whoever helps, and the file is there
    shut       a start at which it must stay shut

City hall's process runs on the test machine; its ports are carried over by a small relay, since its credential is for
the name localhost. /mnt is the open part of the card.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from device.clock import SystemClock
from provisioning.doctor.checks.encryption import device_of, is_encrypted
from provisioning.enrolment.city_hall_client import CityHallClient
from provisioning.enrolment.identity import Identity
from provisioning.site.reading import read_site
from provisioning.storage import luks
from provisioning.storage.opening import try_opening
from provisioning.storage.preparing import Holders, prepare
from provisioning.storage.record import read_record

CARD, PLACE, DISK = Path("/mnt"), Path("/run/state"), "/dev/vda"
WORDS = "TEST what only an open volume shows"


def relay(port: int) -> None:
    """127.0.0.1:PORT here is the test machine's."""
    listening = socket.create_server(("127.0.0.1", port))

    def carry(one: socket.socket, other: socket.socket) -> None:
        while piece := one.recv(65536):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)

    def serve() -> None:
        while True:
            near, _ = listening.accept()
            try:
                far = socket.create_connection(("10.0.2.2", port), timeout=20)
            except OSError:
                near.close()
                continue
            for pair in ((near, far), (far, near)):
                threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def holders() -> tuple[Holders, bytes]:
    """City hall, or where the machine has one its TPM alone."""
    if luks.has_tpm():
        return Holders(True, None, None), b""
    site = read_site(CARD / "site.toml")
    assert site.cityhall_link is not None
    client = CityHallClient(site.cityhall_link, CARD, Identity(CARD / "enrolment"), SystemClock())
    return Holders(False, client, site.cityhall_link), (CARD / "city-ca.pem").read_bytes()


def made() -> None:
    """The step prepare."""
    who, ca = holders()
    folder = CARD / "storage"
    prepared = prepare(DISK, "plaza-1", who, ca, folder=folder, cpu=Path("/proc/cpuinfo").read_text("utf-8"))
    (CARD / "recovery").write_text(prepared.recovery)
    assert try_opening(prepared.record, folder, SystemClock()) is None
    device = f"/dev/mapper/{prepared.record.mapping}"
    subprocess.run(["mkfs.ext4", "-q", device], check=True)
    mounted(device)
    (PLACE / "file").write_text(WORDS)
    subprocess.run(["umount", PLACE], check=True)


def started() -> str:
    """The step start: "" or why it is shut."""
    record = read_record(CARD / "storage")
    closed = try_opening(record, CARD / "storage", SystemClock())
    if closed is not None:
        return f"{closed.code} {closed.detail}"
    mounted(f"/dev/mapper/{record.mapping}")
    assert (PLACE / "file").read_text() == WORDS
    number = Path(f"/dev/mapper/{record.mapping}").stat().st_rdev
    device = f"{os.major(number)}:{os.minor(number)}"
    assert device_of(PLACE, Path("/proc/self/mountinfo").read_text()) == device
    assert is_encrypted(device) is True
    return ""


def mounted(device: str) -> None:
    PLACE.mkdir(exist_ok=True)
    subprocess.run(["mount", device, PLACE], check=True)


if __name__ == "__main__":
    for name in json.loads((CARD / "ports").read_text()):
        relay(int(name))
    if sys.argv[1] == "prepare":
        made()
        sys.stdout.write("STEP DONE\n")
    else:
        sys.stdout.write(f"STEP {started() or 'OPEN'}\n")
