"""Surprises of an apply."""

from __future__ import annotations

from device.errors import HirobaError


class TakenBack(HirobaError):
    """The box was not healthy after the change, and is as it was. facts: box, reason."""

    code = "apply.taken_back"


class BoxNotNamed(HirobaError):
    """A city's file holds many boxes. facts: file, boxes."""

    code = "apply.box_not_named"


class OtherBox(HirobaError):
    """The file is of another box than was named. facts: file, box, name."""

    code = "apply.other_box"
