"""One verdict about a whole file: a PDF, a picture of a page (a scan, a photograph), or a code's text.

GENUINE is said of a PDF alone, and only when all of it was held against its seals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from device.printer.pdf_drawing import NotAPdf, is_scan, page_count, page_png, page_texts
from device.qr import text_in_pixels, texts_in
from device.strict_pdf.page_rules import CheckedPdf, check_pages
from device.strict_pdf.syntax import NotOurPdf
from kiosk.issuer.seal.seal import FORM_2, FORMS, Judged, Reason, SealFacts, Verdict, judge, text_digest
from kiosk.issuer.seal.seal_keys import SealKey

_DPI = 200  # a module of 0.42 mm is three pixels and more
MAX_DRAWN_PAGES = 60
"""Of a PDF that our press did not make: so many are drawn to look for seals."""


@dataclass(frozen=True)
class PaperJudged:
    """The verdict on a whole file. seals: what each seal in it says, in order. structure: one of page_rules.REASONS,
    where the PDF holds what our press does not make.
    """

    verdict: Verdict
    reason: Reason | None
    seals: tuple[Judged, ...] = ()
    structure: str = ""


def judge_file(content: bytes, keys: Mapping[str, SealKey]) -> PaperJudged:
    """keys: by name."""
    if content.startswith(b"%PDF"):
        return _judge_pdf(content, keys)
    return _without_comparing(_seals_in(content), keys)


def _judge_pdf(pdf: bytes, keys: Mapping[str, SealKey]) -> PaperJudged:
    try:
        checked = check_pages(pdf)
    except NotOurPdf as error:
        return _judge_foreign(pdf, keys, str(error.facts["reason"]))
    texts = [text_in_pixels(code) if code else None for code in checked.codes]
    seals = tuple(judge(text or "", keys) for text in texts)
    if worst := _worst(seals):
        return PaperJudged(worst.verdict, worst.reason, seals)
    facts = [seal.facts for seal in seals if seal.facts]
    if not _one_paper(facts) or len({(seal.key, seal.form) for seal in seals}) != 1:
        return PaperJudged(Verdict.CHANGED, Reason.PAGES, seals)
    return _judge_form_2(checked, seals) if seals[0].form == FORM_2 else _judge_form_1(pdf, seals)


def _judge_form_2(checked: CheckedPdf, seals: tuple[Judged, ...]) -> PaperJudged:
    digest = checked.digest
    if all(seal.facts and seal.facts.digest == digest for seal in seals):
        return PaperJudged(Verdict.GENUINE, None, seals)
    return PaperJudged(Verdict.CHANGED, Reason.CONTENT, seals)


def _judge_form_1(pdf: bytes, seals: tuple[Judged, ...]) -> PaperJudged:
    """An old seal has a page's words in their order: where they stand, and in which glyphs, it does not say."""
    try:
        texts = page_texts(pdf)
    except NotAPdf:
        texts = []
    same = len(texts) == len(seals) and all(
        seal.facts and text_digest(text) == seal.facts.digest for text, seal in zip(texts, seals, strict=True)
    )
    if same:
        return PaperJudged(Verdict.NOT_COMPARED, Reason.WORDS_ONLY, seals)
    return PaperJudged(Verdict.CHANGED, Reason.CONTENT, seals)


def _judge_foreign(pdf: bytes, keys: Mapping[str, SealKey], structure: str) -> PaperJudged:
    """A PDF that our press did not make like this. A scan is a picture of a paper, where nothing can be compared."""
    try:
        count, scan = min(page_count(pdf), MAX_DRAWN_PAGES), is_scan(pdf)
        found = [_codes(page_png(pdf, place, _DPI)) for place in range(count)]
    except NotAPdf:
        return PaperJudged(Verdict.UNKNOWN, Reason.NO_SEAL, structure=structure)
    seals = [seal for page in found for seal in page]
    if scan:
        return _without_comparing(seals, keys)
    judged = tuple(judge(seal, keys) for seal in seals)
    if any(seal.key for seal in judged):
        return PaperJudged(Verdict.CHANGED, Reason.STRUCTURE, judged, structure)
    reason = Reason.UNKNOWN_KEY if judged else Reason.NO_SEAL
    return PaperJudged(Verdict.UNKNOWN, reason, judged, structure)


def _without_comparing(texts: Sequence[str], keys: Mapping[str, SealKey]) -> PaperJudged:
    seals = tuple(judge(text, keys) for text in texts)
    if not seals:
        return PaperJudged(Verdict.UNKNOWN, Reason.NO_SEAL)
    if worst := _worst(seals):
        return PaperJudged(worst.verdict, worst.reason, seals)
    return PaperJudged(Verdict.NOT_COMPARED, Reason.SEAL_ONLY, seals)


def _worst(seals: Sequence[Judged]) -> Judged | None:
    """The seal that decides, where not all are the city's: a changed one, else an unknown one. A page without a seal
    beside pages with seals of the city means that something was changed.
    """
    for verdict in (Verdict.CHANGED, Verdict.UNKNOWN):
        found = next((seal for seal in seals if seal.verdict is verdict), None)
        if found and found.verdict is Verdict.UNKNOWN and any(seal.key for seal in seals):
            return Judged(Reason.PAGES)
        if found:
            return found
    return None


def _one_paper(facts: Sequence[SealFacts]) -> bool:
    """Whether the pages are 1 to N of one paper, as often as there are copies."""
    first = facts[0]
    whole = {(one.issuer, one.kind, one.number, one.at, one.pages) for one in facts} == {
        (first.issuer, first.kind, first.number, first.at, first.pages)
    }
    copies, rest = divmod(len(facts), max(first.pages, 1))
    return whole and not rest and [one.page for one in facts] == list(range(1, first.pages + 1)) * copies


def _seals_in(content: bytes) -> list[str]:
    return _codes(content) or _written(content)


def _codes(picture: bytes) -> list[str]:
    return [text for text in texts_in(picture) if text.startswith(FORMS)]


def _written(content: bytes) -> list[str]:
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError:
        return []
    return [line.strip("\r\n") for line in lines if line.startswith(FORMS)]
