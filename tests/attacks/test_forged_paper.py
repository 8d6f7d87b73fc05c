"""A paper is forged (docs/threat_model.md, "Printers and their trays"): each forgery was made from a genuine PDF and
opens in a stock reader, and neither ``hiroba verify`` nor the last gate before paper takes it for the city's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import cbor2
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.clock import JST
from device.printer.pdf_drawing import page_count, page_png, page_texts
from device.qr import png_of
from device.store import Store
from device.strict_pdf.page_rules import check_pages
from kiosk.issuer.certificate import CertificateMaker
from kiosk.issuer.kinds import KINDS
from kiosk.issuer.ledger import OrderRecord
from kiosk.issuer.paper.glyphs import GlyphCheck, find_font
from kiosk.issuer.paper.typst_renderer import TypstRenderer
from kiosk.issuer.protocol import Document
from kiosk.issuer.register.register import REGISTER_MIGRATIONS, Register
from kiosk.issuer.register.synthetic_people import population
from kiosk.issuer.seal import base45
from kiosk.issuer.seal.cose import key_id
from kiosk.issuer.seal.seal import FORM_1, Sealer, text_digest
from kiosk.issuer.seal.seal_keys import SealKey, public_text
from kiosk.services.certificates.issuance.page_gate import Matches, Mismatch, check
from provisioning.cli import hiroba
from tests.attacks.paper_forger import Forger, appended
from tests.attacks.paper_forgeries import FORGERIES, GREY, HIDDEN_FROM_THE_GATE

KEY = Ed25519PrivateKey.from_private_bytes(b"K" * 32)
AT = datetime(2026, 11, 23, 12, 0, tzinfo=JST)
BINDING = "resident"
LARGE = "R00005"
"""Of a household of nine: a paper of several pages."""


@dataclass(frozen=True)
class Papers:
    """One resident's paper of one page, the same in two copies, a household's of several pages, and a specimen."""

    one: bytes
    copies: bytes
    long: bytes
    specimen: bytes


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    register = Register(Store(tmp_path_factory.mktemp("register") / "register.db", REGISTER_MIGRATIONS))
    register.import_population(population())
    font, root = find_font(["/usr/share/fonts"]), Path(str(resources.files("kiosk.issuer")))

    def paper(resident: str, copies: int = 1, *, specimen: bool = False, everybody: bool = False) -> bytes:
        renderer = TypstRenderer(font, root, specimen=specimen)
        maker = CertificateMaker(GlyphCheck(font), renderer, Sealer(KEY), "見本市長　見本　太郎", "27999")
        house = register.household_of(resident)
        assert house
        asked = [person.resident for person in house.members] if everybody else [resident]
        order = OrderRecord(
            request=resident, kiosk="k", visit="v", requester=resident, residents=asked, kind="residence_record",
            copies=copies, binding=BINDING, fee_yen=300, pages=1, at=AT, answers={"items": ["relationship"]},
        )  # fmt: skip
        laid = maker.lay_out(KINDS["residence_record"], house, order, "R8-000001-4")
        assert laid
        return maker.pdf(KINDS["residence_record"], laid, order)

    return Papers(paper("R00001"), paper("R00001", 2), paper(LARGE, everybody=True), paper("R00001", specimen=True))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "TEST-city.pem").write_bytes(public_text(SealKey(KEY.public_key())))
    return folder


def verify(content: bytes, keys: Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the answer of ``hiroba verify --json``."""
    paper = keys.parent / "paper"
    paper.write_bytes(content)
    result = CliRunner().invoke(hiroba, ["verify", str(paper), "--keys", str(keys), "--json"])
    return result.exit_code, json.loads(result.output)


def gate(pdf: bytes, request: str = "R00001", pages: int = 1) -> Matches | Mismatch:
    return check(Document(pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest(), pages=pages), request, BINDING, pages)


def test_what_the_press_made_is_genuine_and_passes_the_gate(papers: Papers, keys: Path) -> None:
    for pdf in (papers.one, papers.copies, papers.long, papers.specimen):
        exit_code, answer = verify(pdf, keys)
        assert (exit_code, answer["verdict"], answer["compared"]) == (0, "genuine", "all")
    assert page_count(papers.long) > 1
    assert gate(papers.one) == Matches(1)
    assert gate(papers.long, LARGE, page_count(papers.long)) == Matches(page_count(papers.long))


def test_the_forger_can_put_a_paper_together_again(papers: Papers, keys: Path) -> None:
    # Its own work is not what is refused: taken apart and put together, the paper is the city's still.
    assert verify(Forger.of(papers.one).written(), keys)[0] == 0


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forged_paper_is_changed_and_is_not_printed(
    forge: Callable[[Forger], None], papers: Papers, keys: Path
) -> None:
    forger = Forger.of(papers.one)
    forge(forger)
    pdf = forger.written()
    assert page_png(pdf, 0).startswith(b"\x89PNG")  # a stock reader opens it
    exit_code, answer = verify(pdf, keys)
    assert exit_code == 1
    assert answer["verdict"] in {"changed", "unknown"}  # unknown: the code cannot be read any more
    assert isinstance(gate(pdf), Mismatch) or forge in HIDDEN_FROM_THE_GATE


def test_a_later_addition_to_the_file_is_changed(papers: Papers, keys: Path) -> None:
    forger = Forger.of(papers.one)
    page = forger.pages[0]
    pdf = appended(papers.one, page, forger.objects[page][0].replace(b"/Parent", b"/Rotate 180/Parent"))
    assert page_count(pdf) == 1
    exit_code, answer = verify(pdf, keys)
    assert (exit_code, answer["verdict"], answer["structure"]) == (1, "changed", "structure")
    assert isinstance(gate(pdf), Mismatch)


@pytest.mark.parametrize("junk", [b"\n%%EOF\n", b"\0", b"\n% note", b"\n1 0 obj\n<<>>\nendobj\n"])
def test_anything_behind_the_end_is_changed(junk: bytes, papers: Papers, keys: Path) -> None:
    assert verify(papers.one + junk, keys)[0] == 1
    assert isinstance(gate(papers.one + junk), Mismatch)


def test_a_page_of_another_paper_is_changed(papers: Papers, keys: Path) -> None:
    one, other = Forger.of(papers.long), Forger.of(papers.copies)
    mine, theirs = one.content_of(one.pages[1]), other.content_of(other.pages[0])
    one.objects[mine] = other.objects[theirs]
    assert verify(one.written(), keys)[0] == 1


def test_pages_exchanged_or_dropped_are_changed(papers: Papers, keys: Path) -> None:
    def kids(change: Callable[[list[bytes]], list[bytes]]) -> bytes:
        forger = Forger.of(papers.long)
        (tree,) = forger.find(b"/Type/Pages")
        numbers = [b"%d 0 R" % page for page in forger.pages]
        changed = change(list(numbers))
        told = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(changed), b" ".join(changed))
        forger.edit(tree, lambda _: told)
        return forger.written()

    for change in (lambda pages: pages[::-1], lambda pages: pages[:-1], lambda pages: pages[:1] * 2):
        assert verify(kids(change), keys)[0] == 1


def test_a_copy_taken_out_of_several_is_not_the_whole_paper(papers: Papers, keys: Path) -> None:
    forger = Forger.of(papers.copies)
    (tree,) = forger.find(b"/Type/Pages")
    forger.edit(tree, lambda _: b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % forger.pages[0])
    assert verify(forger.written(), keys)[0] == 1


def test_the_specimens_mark_cannot_be_taken_away(papers: Papers, keys: Path) -> None:
    forger = Forger.of(papers.specimen)
    forger.draw(forger.pages[0], lambda drawn: drawn[drawn.index(b"q 1 0 0 -1") :])
    assert gate(forger.written()) == Matches(1)
    assert verify(forger.written(), keys)[0] == 1


def test_a_picture_of_a_page_and_a_code_alone_compare_nothing(papers: Papers, keys: Path) -> None:
    photo = page_png(papers.one, 0, 200)
    for content in (photo, scan_of(papers.one)):
        exit_code, answer = verify(content, keys)
        assert (exit_code, answer["verdict"], answer["compared"]) == (3, "not_compared", "nothing")


def test_a_scan_with_words_laid_over_it_is_changed(papers: Papers, keys: Path) -> None:
    assert verify(papers.one.replace(b"%PDF-1.7", b"%PDF-1.3"), keys)[0] in {0, 1}
    assert verify(scan_of(papers.one, annotation="Other"), keys)[0] == 1


def scan_of(pdf: bytes, annotation: str = "") -> bytes:
    """A PDF of one picture, as a copier's scanner makes it; with a note on it."""
    import io

    import pypdfium2
    from PIL import Image

    made = io.BytesIO()
    Image.open(io.BytesIO(page_png(pdf, 0, 200))).convert("L").save(made, "PDF", resolution=200)
    if not annotation:
        return made.getvalue()
    document = pypdfium2.PdfDocument(made.getvalue())
    pypdfium2.raw.FPDFPage_CreateAnnot(document[0], pypdfium2.raw.FPDF_ANNOT_HIGHLIGHT)
    noted = io.BytesIO()
    document.save(noted)
    return noted.getvalue()


def old_paper(papers: Papers) -> Forger:
    """A paper as release 0.1 sealed it: the code has the digest of the page's words."""
    (text,) = page_texts(papers.one)
    claims = {1: "27999", 6: int(AT.timestamp()), -65537: ["residence_record", "R8-000001-4", 1, 1, text_digest(text)]}
    seal = FORM_1 + base45.encode(signed(claims))
    forger = Forger.of(papers.one)
    (code,) = forger.find(b"/Subtype/Image")
    side, grey = modules(seal)
    space = forger.find(b"[/ICCBased")[0]
    forger.objects[code] = (b"<</Type/XObject" + (GREY % (side, side, space)).encode(), grey)
    return forger


def modules(text: str) -> tuple[int, bytes]:
    import io

    from PIL import Image

    picture = Image.open(io.BytesIO(png_of(text))).convert("L")
    return picture.width, picture.tobytes()


def signed(claims: object, head: object = None, open_head: object = None) -> bytes:
    protected = cbor2.dumps({1: -8, 4: key_id(KEY.public_key())} if head is None else head)
    payload = cbor2.dumps(claims)
    signature = KEY.sign(cbor2.dumps(["Signature1", protected, b"", payload]))
    return cbor2.dumps(cbor2.CBORTag(18, [protected, open_head or {}, payload, signature]))


def test_a_paper_of_release_0_1_is_said_to_be_compared_by_its_words_alone(papers: Papers, keys: Path) -> None:
    exit_code, answer = verify(old_paper(papers).written(), keys)
    assert (exit_code, answer["verdict"], answer["compared"]) == (3, "not_compared", "words")


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_an_old_seal_is_never_called_genuine(forge: Callable[[Forger], None], papers: Papers, keys: Path) -> None:
    forger = old_paper(papers)
    forge(forger)
    assert verify(forger.written(), keys)[0] != 0


CLAIMS = {1: "27999", 6: int(AT.timestamp()), -65538: ["residence_record", "R8-000001-4", 1, 1, b"d" * 16]}
KID = key_id(KEY.public_key())


@pytest.mark.parametrize(
    ("head", "open_head"),
    [
        ({1: 0, 4: KID}, {}),
        ({4: KID}, {}),
        ({1: -7, 4: KID}, {}),
        ({1: -8, 2: [-70000], 4: KID, -70000: 1}, {}),
        ({1: -8, 2: [1], 4: KID}, {}),
        ({1: -8, 4: KID}, {1: -7}),
        ({4: KID}, {1: -8}),
        ({1: -8, 4: KID, 3: "text/plain"}, {}),
    ],
    ids=["alg none", "no alg", "other alg", "unknown crit", "crit", "second alg", "open alg", "other header"],
)
def test_a_header_that_we_do_not_sign_with_is_not_heard(head: object, open_head: object, keys: Path) -> None:
    assert verify(("HRB2:" + base45.encode(signed(CLAIMS))).encode(), keys)[0] == 3
    forged = "HRB2:" + base45.encode(signed(CLAIMS, head, open_head))
    exit_code, answer = verify(forged.encode(), keys)
    assert (exit_code, answer["verdict"], answer["reason"]) == (1, "changed", "signature")


def test_the_files_of_the_press_are_read_by_the_strict_reader_alone(papers: Papers) -> None:
    assert check_pages(papers.one).digest == check_pages(Forger.of(papers.one).written()).digest
