"""One TEST PKI for all tests of the card."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.card.virtual.pki import TestPki


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    """All planned cards, freshly made."""
    made = TestPki(Path(tmp_path_factory.mktemp("pki")))
    made.ensure()
    return made
