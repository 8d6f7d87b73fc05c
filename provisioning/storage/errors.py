"""Surprises of the encrypted volume."""

from __future__ import annotations

from device.errors import HirobaError


class VolumeFailed(HirobaError):
    """A program that works on the volume failed. facts: step, reason."""

    code = "storage.volume_failed"


class VolumeMissing(HirobaError):
    """This box has no encrypted volume. facts: folder."""

    code = "storage.missing"


class VolumeThere(HirobaError):
    """The device holds something already. facts: device."""

    code = "storage.there"


class NoSecondHolder(HirobaError):
    """Neither a TPM nor city hall could keep what the card must not. facts: device."""

    code = "storage.no_second_holder"
