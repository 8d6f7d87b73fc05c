"""Where the virtual hardware of one state folder keeps its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VirtualFolder:
    """Paths below STATE/virtual."""

    state: Path

    @property
    def root(self) -> Path:
        """The folder itself."""
        return self.state / "virtual"

    @property
    def pki(self) -> Path:
        """The TEST PKI and its cards."""
        return self.root / "pki"

    @property
    def card_state(self) -> Path:
        """What lies on the reader."""
        return self.root / "card.json"

    @property
    def receipt(self) -> Path:
        """The receipt printer: its state file and the receipts it drew."""
        return self.root / "receipt"

    @property
    def page(self) -> Path:
        """The A4 printer: its state file and the pages it drew."""
        return self.root / "page"
