"""Opens the card reader that the site file names: the only place that says which driver drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from device.card.settings import CardSettings

if TYPE_CHECKING:
    from device.card.pcsc import PcscReader


def open_reader(settings: CardSettings) -> PcscReader:
    """The PC/SC reader; who does not keep it for good closes it. Nothing is connected before it is asked."""
    from device.card.pcsc import PcscReader

    return PcscReader(settings)
