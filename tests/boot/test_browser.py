"""The browser's unit as shipped, cage and Chromium really started as its plain user: the first screen is painted, comes
back when it is hit, needs no network, and nothing but the kiosk is opened or reached.

The compositor draws into memory (units/browser-headless.conf); grim takes the picture.
"""

from __future__ import annotations

import base64
import binascii
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image, UnidentifiedImageError

from tests.boot.conftest import FAR, LAY_OUT, roomy
from tests.boot.container import Container
from tests.boot.rootfs import inside
from tests.boot.screen_root import unpacked_with_screen

pytestmark = [
    pytest.mark.needs("root", "mmdebstrap", "systemd-nspawn"),
    pytest.mark.long,
    pytest.mark.timeout(1800),
]

UNIT = "hiroba-kiosk-browser.service"
DROP_INS = "etc/systemd/system/hiroba-kiosk-browser.service.d"
CAMERA = (
    "cd / && setpriv --reuid=hiroba-browser --clear-groups env XDG_RUNTIME_DIR=/run/hiroba-browser "
    "WAYLAND_DISPLAY=wayland-0 grim - | base64 --wrap=0"
)
"""Through the compositor's socket, which belongs to the browser's user alone."""
LISTEN = "systemd-run --quiet --unit=test-elsewhere python3 -m http.server 8999 --bind 127.0.0.1"
Figure = Callable[[str, float], None]


@pytest.fixture(scope="module")
def screen() -> Iterator[Container]:
    folder = Path(tempfile.mkdtemp(prefix="hiroba-screen-", dir=roomy()))
    root = unpacked_with_screen(folder / "root")
    inside(root, "/bin/sh", "-c", LAY_OUT.replace(" --without-screen", ""))
    (root / DROP_INS).mkdir(parents=True)
    shutil.copy(Path(__file__).parent / "units/browser-headless.conf", root / DROP_INS)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text(f"nameserver {FAR}\n")
    made = Container(root, folder / "console.log")
    try:
        made.start()
        made.until("hiroba.target", lambda: made.active("hiroba.target"))
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def picture(box: Container) -> Image.Image | None:
    """What the screen shows, or None while there is no compositor."""
    with suppress(binascii.Error, UnidentifiedImageError):
        return Image.open(io.BytesIO(base64.b64decode(box.run("sh", "-c", CAMERA, check=False)))).convert("RGB")
    return None


def first_screen(box: Container) -> bool:
    """The kiosk's bar on top, its paper below, and words on it."""
    seen = picture(box)
    if seen is None:
        return False
    bar, paper = seen.getpixel((10, 10)), seen.getpixel((10, seen.height // 2))
    return (bar, paper) == ((10, 74, 92), (246, 244, 238)) and len(seen.getcolors(1 << 20) or ()) > 500


def begin_anew(box: Container, *lines: str) -> None:
    """Start the browser with further settings, or as it is."""
    drop_in = box.root / DROP_INS / "more.conf"
    drop_in.write_text("[Service]\n" + "".join(f"{line}\n" for line in lines))
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "restart", UNIT)


def test_the_first_screen_is_painted_by_a_plain_user_in_chromium_s_own_sandbox(screen: Container) -> None:
    screen.until("the first screen", lambda: first_screen(screen))
    seen = picture(screen)
    assert seen
    seen.save(Path(tempfile.gettempdir()) / "hiroba-first-screen.png")  # for a person to look at
    told = screen.run("ps", "-o", "user=,args=", "-C", "chromium")
    assert {line.split()[0] for line in told.splitlines()} == {"hiroba-+"}
    assert "--no-sandbox" not in told
    assert screen.run("systemctl", "--failed", "--plain", "--no-legend").strip() == ""


@pytest.mark.parametrize("program", ["chromium", "cage"])
def test_a_browser_that_is_killed_is_back(screen: Container, program: str, figure: Figure) -> None:
    screen.until("the first screen", lambda: first_screen(screen))
    screen.run("pkill", "-KILL", "-o", "-x", program)
    screen.until("it is gone", lambda: not first_screen(screen))
    seconds = screen.until("the first screen again", lambda: first_screen(screen))
    figure(f"seconds until the first screen was painted again after SIGKILL of {program}", seconds)
    users = screen.run("pgrep", "-c", "-x", "cage").strip()
    assert users == "1"  # nothing of the one before is left


def test_the_first_screen_needs_no_network(screen: Container) -> None:
    screen.run("ip", "link", "set", "up0", "down")
    screen.run("systemctl", "restart", "hiroba.target")
    begin_anew(screen)
    screen.until("the first screen", lambda: first_screen(screen))
    screen.run("systemctl", "restart", "test-network.service", check=False)
    screen.run("sh", "-c", "ip link set up0 up; ip route replace default via 198.19.7.7")


def test_another_address_is_not_opened_even_on_the_box_itself(screen: Container) -> None:
    screen.run("sh", "-c", LISTEN)
    begin_anew(screen, "EnvironmentFile=", "Environment=HIROBA_KIOSK=http://127.0.0.1:8999/")
    screen.until("a page that says no", lambda: bool(screen.run("pgrep", "-x", "chromium", check=False)))
    screen.until("it is painted", lambda: (seen := picture(screen)) and len(seen.getcolors(1 << 20) or ()) > 20)
    assert "GET" not in screen.run("journalctl", "-u", "test-elsewhere", "-o", "cat")
    assert not first_screen(screen)
    begin_anew(screen)
    screen.until("the first screen", lambda: first_screen(screen))


def test_nobody_can_debug_the_browser_from_outside(screen: Container) -> None:
    begin_anew(screen, "Environment=CHROMIUM_FLAGS=--remote-debugging-port=9222")
    screen.until("the first screen", lambda: first_screen(screen))
    assert "9222" not in screen.run("ss", "-Htln")
    begin_anew(screen)


def test_the_browser_calls_nobody_and_its_session_is_bounded(screen: Container) -> None:
    """Chromium left alone calls home within seconds: here every name leads to a server that writes down who came."""
    begin_anew(screen)
    screen.until("the first screen", lambda: first_screen(screen))
    called = screen.run("journalctl", "-u", "test-internet", "-o", "cat")
    assert "Started" in called
    assert "HTTP" not in called
    pid = screen.run("pgrep", "-o", "-x", "cage").strip()
    assert "/user.slice/user-488.slice/" in screen.run("cat", f"/proc/{pid}/cgroup")
    bounds = screen.show("user-488.slice", "MemoryMax", "MemorySwapMax", "IPAddressAllow")
    assert (bounds["MemoryMax"], bounds["MemorySwapMax"]) == (str(1 << 30), "0")
    assert set(bounds["IPAddressAllow"].split()) == {"127.0.0.0/8", "::1/128"}
