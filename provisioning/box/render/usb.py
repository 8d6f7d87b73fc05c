"""What may be plugged into the box: usbguard's rules, and udev's word on keyboards. Pure.

By class, so that a card reader or a touch screen of the same kind can be exchanged without new rules: hubs, chip card
readers (CCID), touch screens (HID without boot protocol). A stick, a network dongle or a keyboard is none of these.
"""

from __future__ import annotations

from provisioning.box.render.files import Rendered
from provisioning.box.render.services import HEAD
from provisioning.site.model import Site

RULES = "etc/usbguard/rules.conf"
UDEV = "etc/udev/rules.d/61-hiroba-site.rules"
_CLASSES = (
    "# hubs",
    "allow with-interface equals { 09:00:00 }",
    "allow with-interface equals { 09:00:01 }",
    "allow with-interface equals { 09:00:02 }",
    "allow with-interface equals { 09:00:01 09:00:02 }",
    "# chip card readers (CCID) and nothing beside",
    "allow with-interface equals { 0b:00:00 }",
    "# touch screens: HID without the boot protocol that keyboards and mice speak",
    "allow with-interface equals { 03:00:00 }",
    "allow with-interface equals { 03:00:00 03:00:00 }",
)
_KEYBOARDS = (
    "# keyboards and mice, as this site wants them",
    "allow with-interface equals { 03:01:01 }",
    "allow with-interface equals { 03:01:02 }",
    "allow with-interface equals { 03:01:01 03:00:00 }",
    "allow with-interface equals { 03:01:01 03:01:02 }",
)


def rules(site: Site) -> dict[str, Rendered]:
    """usbguard's rules (it reads them as root alone) and the udev rule for a box with a screen."""
    files = {}
    if site.usb.guard:
        lines = [*_CLASSES, *(_KEYBOARDS if site.usb.keyboards else ())]
        lines += [f"allow id {device}" for device in site.usb.allow]
        files[RULES] = Rendered(HEAD + "\n".join(lines) + "\n", False, 0o600)
    if site.box.screen and not site.usb.keyboards:
        files[UDEV] = Rendered(HEAD + _IGNORED)
    return files


_IGNORED = """# A keyboard or mouse that a visitor plugs in reaches no program (libinput passes it by).
# A card reader stays awake.
ACTION=="add|change", SUBSYSTEM=="input", ENV{ID_INPUT_TOUCHSCREEN}!="1", ENV{LIBINPUT_IGNORE_DEVICE}="1"
ACTION=="add", SUBSYSTEM=="usb", ENV{ID_USB_INTERFACES}=="*:0b0000:*", TEST=="power/control", ATTR{power/control}="on"
"""
