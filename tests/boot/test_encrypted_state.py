"""A box's volume under a real kernel with dm-crypt, in a virtual machine: by city hall's half, and by a TPM.

The machine that runs the tests need not have dm-crypt: QEMU without acceleration boots Debian's own kernel on the test
machine's root. Long: each start takes half a minute or more.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device.clock import SystemClock
from tests.attacks.clone import connection
from tests.fixtures.cityhall_server import CityHallServer

pytestmark = [
    pytest.mark.long,
    pytest.mark.attacks,
    pytest.mark.timeout(1800),
    pytest.mark.needs("root", "qemu", "busybox", "cryptsetup", "nginx", "apt"),
]
HERE, ROOT = Path(__file__).parent / "guest", Path(__file__).resolve().parents[2]
FIRST = ("virtio_pci", "9pnet_virtio", "9p")
SECONDS = 420


@dataclass
class Kernel:
    """Debian's kernel, unpacked below folder. version: as uname -r has it."""

    folder: Path
    version: str

    @property
    def image(self) -> Path:
        return self.folder / "boot" / f"vmlinuz-{self.version}"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    folder = tmp_path_factory.mktemp("kernel")
    told = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=True)
    package = next(line.split()[1] for line in told.stdout.splitlines() if "Depends: linux-image" in line)
    subprocess.run(["apt-get", "download", package], cwd=folder, check=True, capture_output=True)
    subprocess.run(["dpkg-deb", "-x", next(folder.glob("*.deb")), folder], check=True)
    version = next((folder / "lib/modules").iterdir()).name
    subprocess.run(["busybox", "depmod", "-b", folder, version], check=True, capture_output=True)
    return Kernel(folder, version)


@dataclass
class Machine:
    """A virtual machine: its disk, the open part of its card, and whether it has a TPM."""

    kernel: Kernel
    folder: Path
    tpm: bool = False

    @property
    def card(self) -> Path:
        return self.folder / "card"

    def start(self, step: str) -> str:
        """Power on, one step of guest.py, power off; what it said."""
        words = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-m", "1024", "-smp", "2", "-nographic"]
        words += ["-no-reboot", "-kernel", str(self.kernel.image), "-initrd", str(self._initramfs(step))]
        words += ["-append", "console=ttyS0 panic=-1 quiet", "-cpu", "max"]
        words += ["-drive", f"file={self.folder / 'disk.img'},format=raw,if=virtio"]
        words += ["-virtfs", "local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap"]
        words += ["-virtfs", f"local,path={self.card},mount_tag=card,security_model=none"]
        words += ["-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0"]
        if self.tpm:
            words += ["-chardev", f"socket,id=tpm,path={self.folder / 'tpm.sock'}"]
            words += ["-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm0"]
        with self._tpm():
            done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
        assert "GUEST ENDED 0" in done.stdout, done.stdout[-3000:] + done.stderr[-1000:]
        said = re.search(r"STEP (DONE|OPEN|[a-z_]+ \w*)", done.stdout)  # the kernel may speak on the same line
        assert said, done.stdout[-3000:]
        return said[1]

    def _tpm(self) -> subprocess.Popen[bytes] | Nothing:
        if not self.tpm:
            return Nothing()
        (self.folder / "tpm").mkdir(exist_ok=True)
        sock = self.folder / "tpm.sock"
        sock.unlink(missing_ok=True)
        words = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder / 'tpm'}", "--ctrl"]
        started = subprocess.Popen([*words, f"type=unixio,path={sock}", "--terminate", "--flags", "not-need-init"])
        while not sock.exists():
            assert started.poll() is None
            time.sleep(0.05)
        return started

    def _initramfs(self, step: str) -> Path:
        tree = self.folder / "initramfs"
        shutil.rmtree(tree, ignore_errors=True)
        for name in ("bin", "sbin", "proc", "sys", "dev", "host", "lib/modules"):
            (tree / name).mkdir(parents=True)
        shutil.copy2(shutil.which("busybox") or "", tree / "bin/busybox")
        (tree / "sbin/modprobe").symlink_to("/bin/busybox")
        shutil.copy2(HERE / "init.sh", tree / "init")
        (tree / "init").chmod(0o755)
        said = {"VERSION": self.kernel.version, "MODULES": self.kernel.folder, "PYTHON": sys.executable, "ROOT": ROOT}
        lines = [f"{key}={value}" for key, value in said.items()]
        (tree / "settings").write_text("\n".join([*lines, f"STEP={step}", ""]))
        self._first_modules(tree)
        image = self.folder / "initramfs.cpio"
        with image.open("wb") as out:
            files = subprocess.run(["find", "."], cwd=tree, capture_output=True, check=True).stdout
            subprocess.run(["cpio", "-o", "-H", "newc"], cwd=tree, input=files, stdout=out, check=True)
        return image

    def _first_modules(self, tree: Path) -> None:
        """Those without which the guest does not see the test machine's root, and what they need."""
        folder = self.kernel.folder / "lib/modules" / self.kernel.version
        rows = dict(line.split(":", 1) for line in (folder / "modules.dep").read_text().splitlines())
        wanted = [row for row in rows if Path(row).name.removesuffix(".ko") in FIRST]
        for row in {name for one in wanted for name in (one, *rows[one].split())}:
            target = tree / "lib/modules" / self.kernel.version / row
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / row, target)
        kept = [f"{row}:{rows[row]}" for row in rows if (tree / "lib/modules" / self.kernel.version / row).exists()]
        (tree / "lib/modules" / self.kernel.version / "modules.dep").write_text("\n".join([*kept, ""]))


class Nothing:
    """No process beside the machine."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def machine(kernel: Kernel, folder: Path, *, tpm: bool) -> Machine:
    made = Machine(kernel, folder / "machine", tpm)
    made.card.mkdir(parents=True)
    (made.card / "ports").write_text("[]")
    with (made.folder / "disk.img").open("wb") as disk:
        disk.truncate(64 << 20)
    return made


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[CityHallServer]:
    with CityHallServer(tmp_path, workers=1) as server:
        yield server


def test_a_box_without_tpm_opens_with_city_halls_half_and_stays_shut_without(
    tmp_path: Path, kernel: Kernel, hall: CityHallServer
) -> None:
    box = machine(kernel, tmp_path, tpm=False)
    enrol(box.card, hall)
    assert box.start("prepare") == "DONE"
    assert box.start("start") == "OPEN"
    assert b"TEST what only" not in (box.folder / "disk.img").read_bytes()
    hall.service.enrolments.revoke("plaza-1", "hanako")
    assert box.start("start") == "refused box_revoked"


@pytest.mark.needs("swtpm")
def test_a_box_with_a_tpm_opens_by_itself_and_its_card_in_another_box_does_not(tmp_path: Path, kernel: Kernel) -> None:
    box = machine(kernel, tmp_path, tpm=True)
    assert box.start("prepare") == "DONE"
    assert box.start("start") == "OPEN"
    shutil.rmtree(box.folder / "tpm")
    assert box.start("start").startswith("failed ")


def enrol(card: Path, hall: CityHallServer) -> None:
    """The box's open card holds its identity here, since the guest has no other place for it."""
    ports = (hall.settings.enrol_port, hall.settings.box_port)
    (card / "ports").write_text(json.dumps(ports))
    shutil.copy2(hall.ca, card / "city-ca.pem")
    (card / "site.toml").write_text(
        '[box]\nname = "plaza-1"\n[city]\nname_ja = "試験市"\nname_en = "TEST"\ntelephone = "06-0000-0000"\n'
        f'[cityhall_link]\nhost = "localhost"\nca = "city-ca.pem"\nenrol_port = {ports[0]}\nbox_port = {ports[1]}\n'
    )
    line = connection(card, card / "site.toml")
    line.steps.enrol(hall.service.records.new_code("plaza-1", "hanako", int(SystemClock().now().timestamp()), 30))
    assert hall.service.enrolments.approve(line.steps.identity.pending(), "hanako")
    assert line.steps.poll() is not None
