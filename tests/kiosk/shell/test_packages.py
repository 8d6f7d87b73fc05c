"""Words and templates of all packages lie side by side: what stands in two of them is refused at the start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from device.catalogue import CatalogueInvalid
from kiosk.services import ServiceUnknown, load
from kiosk.shell.app import TemplateTwice, create_app
from kiosk.shell.menu import Menu
from kiosk.shell.words import Words, WordTwice
from kiosk.simulator import KioskSimulator

if TYPE_CHECKING:
    from device.card.virtual.pki import TestPki


def test_a_key_that_two_packages_write_is_refused() -> None:
    with pytest.raises(WordTwice):
        Words.load(["ja"], ["kiosk.sign_in", "kiosk.shell", "kiosk.sign_in"])


def test_a_language_that_one_package_lacks_is_refused() -> None:
    with pytest.raises(CatalogueInvalid):
        Words.load(["ja", "vi"], ["kiosk.shell"])


def test_a_template_that_two_packages_bring_is_refused(tmp_path: Path, pki: TestPki) -> None:
    shell = KioskSimulator(tmp_path, pki).kiosk.shell
    with pytest.raises(TemplateTwice):
        create_app(shell, Menu(shell, (), {}), (), ["kiosk.shell", "kiosk.sign_in", "kiosk.sign_in"])


def test_a_service_without_a_row_is_not_loaded() -> None:
    with pytest.raises(ServiceUnknown):
        load(["certificates", "os"])
