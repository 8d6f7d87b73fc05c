"""From an order to its PDF: the words from the register, their layout, the city's seals."""

from __future__ import annotations

from dataclasses import dataclass

from device.qr import pixels_of, side_of
from device.strict_pdf.codes import blank_code, with_codes
from device.strict_pdf.document import DIGEST_BYTES, read
from device.strict_pdf.page_rules import drawing_digest
from kiosk.issuer.kinds.kind import Kind, SheetOrder
from kiosk.issuer.ledger import OrderRecord
from kiosk.issuer.paper.composition import compose
from kiosk.issuer.paper.glyphs import GlyphCheck
from kiosk.issuer.paper.layout import PagePlan, plan
from kiosk.issuer.paper.sheet import IssueFacts, Sheet, words_of
from kiosk.issuer.paper.typst_renderer import TypstRenderer
from kiosk.issuer.register.records import HouseholdNow
from kiosk.issuer.seal.seal import Sealer, SealFacts


@dataclass(frozen=True)
class LaidOut:
    """The words of one copy and their pages."""

    sheet: Sheet
    pages: list[PagePlan]


@dataclass(frozen=True)
class CertificateMaker:
    """authority: who certifies, as printed. municipality: its national code, for the seal."""

    glyphs: GlyphCheck
    renderer: TypstRenderer
    sealer: Sealer
    authority: str
    municipality: str

    def lay_out(self, kind: Kind, house: HouseholdNow, order: OrderRecord, number: str) -> LaidOut | None:
        """One copy by the present register; None: a character that the font lacks, or too much for a page."""
        issue = IssueFacts(number=number, authority=self.authority, day=order.at.date())
        sheet = kind.sheet(SheetOrder(house, order.requester, order.residents, order.answers, issue))
        if self.glyphs.missing(words_of(sheet)):
            return None
        pages = plan(sheet, self.glyphs.width)
        return LaidOut(sheet, pages) if pages else None

    def pdf(self, kind: Kind, laid: LaidOut, order: OrderRecord) -> bytes:
        """All copies, marked and sealed; the same order gives the same bytes. Drawn with blank codes first, as the
        seals sign what is drawn beside them. Raises PaperOverrun, NotOurPdf.
        """
        like_it = self._seals(order, laid, bytes(DIGEST_BYTES))
        blanks = [blank_code(place, side_of(len(seal))) for place, seal in enumerate(like_it)]
        paper = compose(laid.sheet, laid.pages, order.copies, order.request, order.binding, seals=blanks)
        drawn = read(self.renderer.render(kind.layout, paper, order.at))
        seals = self._seals(order, laid, drawing_digest(drawn))
        return with_codes(drawn, [pixels_of(seal) for seal in seals])

    def _seals(self, order: OrderRecord, laid: LaidOut, digest: bytes) -> list[str]:
        """The text of the seal of every page of a copy; the same for all copies."""
        pages = len(laid.pages)
        return [
            self.sealer.seal(
                SealFacts(
                    issuer=self.municipality,
                    kind=order.kind,
                    number=laid.sheet.number,
                    at=order.at.replace(microsecond=0),
                    page=place,
                    pages=pages,
                    digest=digest,
                )
            )
            for place in range(1, pages + 1)
        ]
