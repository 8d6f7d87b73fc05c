"""City hall's register as its staff and an insider work on it: by the command line alone. Cards of the TEST PKI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
from click.testing import CliRunner

from device.audit import Audit
from device.card.virtual.pki import TestPki
from device.clock import SystemClock
from device.errors import HirobaError
from device.secrets import Secret
from device.store import Store
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.register.synthetic_people import population
from kiosk.shell.staff_code import hash_staff_code
from provisioning.cli import hiroba
from provisioning.messages import explain

CODES = {"s-1001": "hanako-98765", "s-1002": "jiro-43210-x"}
SITE = """[box]
name = "TEST-issuer"
[city]
name_ja = "試験市"
name_en = "TEST City"
telephone = "06-0000-0000"
[issuer]
mayor = "試験市長　見本　太郎"
municipality_code = "27999"
trust = "{trust}"
"""


@dataclass
class Told:
    """What a command said and its exit code."""

    code: int
    text: str


@dataclass
class CityRegister:
    """state: with the register; pki: whose CAs the issuer trusts."""

    folder: Path
    pki: TestPki

    @classmethod
    def make(cls, folder: Path, pki: TestPki, *, operators: bool = True) -> CityRegister:
        """A city with 200 made-up residents and two operators with codes of their own."""
        made = cls(folder, pki)
        text = SITE.format(trust=pki.trust)
        for name, code in CODES.items() if operators else ():
            kept = hash_staff_code(Secret(code.encode()))
            text += f'[[issuer.operators]]\nname = "{name}"\ncode_hash = "{kept}"\n'
            (folder / f"{name}.code").write_text(f"{code}\n")
        (folder / "site.toml").write_text(text, "utf-8")
        (folder / "residents.json").write_bytes(msgspec.json.encode(population()))
        assert made.run("import", str(folder / "residents.json")).code == 0
        return made

    def run(self, *words: str, by: str = "s-1001", reason: str = "受付 12", code: str = "") -> Told:
        """``hiroba register WORDS``. code: whose code is given, by's own unless said."""
        given = [
            "--config",
            str(self.folder / "site.toml"),
            "--state",
            str(self.folder),
            "--by",
            by,
            "--reason",
            reason,
        ]
        file = self.folder / f"{code or by}.code"
        given += ["--code-file", str(file)] if file.exists() else []
        result = CliRunner().invoke(hiroba, ["register", *words, *given])
        if isinstance(result.exception, HirobaError):
            return Told(1, result.output + explain(result.exception))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Told(result.exit_code, result.output)

    def card(self, name: str, which: str = "auth") -> str:
        """The file with a card's authentication credential, or its other one (sign)."""
        return str(self.pki.cards / name / f"{which}.der")

    def asked(self, *words: str, by: str = "s-1001") -> str:
        """The letters of the request that a command made."""
        told = self.run(*words, by=by)
        found = re.search(r"申請 ([0-9A-Z]{8})", told.text)
        assert told.code == 0, told.text
        assert found, told.text
        return found[1]

    def register(self) -> Register:
        """What the issuer would read."""
        return Register(Store(self.folder / "issuer/register.db", REGISTER_MIGRATIONS))

    def audit(self) -> list[tuple[str, dict[str, object]]]:
        """Event and facts of every line, its chain checked."""
        audit = Audit(Store(self.folder / "issuer/register.db", REGISTER_MIGRATIONS), SystemClock())
        audit.verify()
        return [(line.event, line.facts) for line in audit.lines()]


def trust_the_signing_authority(city: CityRegister) -> Path:
    """A mistake that staff may make: the CA of the signing credentials lies among the trusted ones too."""
    file = city.pki.trust / "TEST-sign-2.pem"
    kept = (city.pki.folder / "ca" / "sign-2.pem").read_bytes()
    file.write_bytes(kept)
    return file
