"""What a forger does to a paper: each takes the paper apart and leaves it changed."""

from __future__ import annotations

from collections.abc import Callable

from tests.attacks.paper_forger import Forger

GREY = "/Subtype/Image/Filter/FlateDecode/Width %d/Height %d/ColorSpace %d 0 R/BitsPerComponent 8>>"


def _picture(forger: Forger, side: int, pixels: bytes) -> int:
    space = forger.find(b"[/ICCBased")[0]
    return forger.add(b"<</Type/XObject" + (GREY % (side, side, space)).encode(), pixels)


def picture_over_a_name(forger: Forger) -> None:
    forger.add_resource(b"XObject", b"x9", _picture(forger, 30, b"\xff" * 900))
    forger.draw(forger.pages[0], lambda drawn: drawn + b"\nq 80 0 0 80 155 600 cm/x9 Do\nQ")


def code_drawn_over_a_name_too(forger: Forger) -> None:
    forger.draw(forger.pages[0], lambda drawn: drawn + b"\nq 80 0 0 80 155 600 cm/x0 Do\nQ")


def code_made_larger(forger: Forger) -> None:
    forger.draw(forger.pages[0], lambda drawn: drawn.replace(b"q 65.19685 0 0 65.19685", b"q 400 0 0 400"))


def annotation(forger: Forger) -> None:
    number = forger.add(b"<</Type/Annot/Subtype/FreeText/Rect[150 600 400 640]/Contents(Other)/DA(/Helv 12 Tf 0 g)>>")
    forger.edit(forger.pages[0], lambda text: text.replace(b"/Parent", b"/Annots[%d 0 R]/Parent" % number))


def form_field(forger: Forger) -> None:
    number = forger.add(b"<</FT/Tx/T(name)/V(Other)>>")
    catalog = forger.find(b"/Type/Catalog")[0]
    forger.edit(catalog, lambda text: text.replace(b"/Pages", b"/AcroForm<</Fields[%d 0 R]>>/Pages" % number))


def script(forger: Forger) -> None:
    number = forger.add(b"<</S/JavaScript/JS(app.alert\\(1\\))>>")
    catalog = forger.find(b"/Type/Catalog")[0]
    forger.edit(catalog, lambda text: text.replace(b"/Pages", b"/OpenAction %d 0 R/Pages" % number))


def attachment(forger: Forger) -> None:
    file = forger.add(b"<</Type/EmbeddedFile/Length 5>>", b"hello")
    names = b"/Names<</EmbeddedFiles<</Names[(a)<</Type/Filespec/F(a)/EF<</F %d 0 R>>>>]>>>>/Pages" % file
    forger.edit(forger.find(b"/Type/Catalog")[0], lambda text: text.replace(b"/Pages", names))


def layer(forger: Forger) -> None:
    number = forger.add(b"<</Type/OCG/Name(l)>>")
    told = b"/OCProperties<</OCGs[%d 0 R]/D<<>>>>/Pages" % number
    forger.edit(forger.find(b"/Type/Catalog")[0], lambda text: text.replace(b"/Pages", told))


def another_font(forger: Forger) -> None:
    forger.add_resource(b"Font", b"f9", forger.add(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"))
    run = b"\nq 1 0 0 -1 155 620 cm/c0 cs 0 scn\nBT 0 Tr/f9 14 Tf 1 0 0 -1 0 0 Tm(Other)Tj\nET\nQ"
    forger.draw(forger.pages[0], lambda drawn: drawn + run)


def font_program_exchanged(forger: Forger) -> None:
    # Every text is read as before, and every character looks like another one: two glyphs change places.
    (number,) = [n for n, (_, stream) in forger.objects.items() if stream and stream[:4] in {b"\0\1\0\0", b"true"}]
    text, stream = forger.objects[number]
    assert stream
    forger.objects[number] = (text, stream[:-200] + bytes(200))


def characters_read_as_others(forger: Forger) -> None:
    # Another glyph is drawn, and the table beside it says that it is the old character.
    (number,) = forger.find(b"/Type/CMap")
    text, stream = forger.objects[number]
    assert stream
    forger.objects[number] = (text, stream.replace(b"<0001>", b"<0FFF>").replace(b"<0007>", b"<0001>"))


def names_exchanged_in_place(forger: Forger) -> None:
    # The same words in the same order; two of them change their places on the page.
    def change(drawn: bytes) -> bytes:
        runs = [part for part in drawn.split(b"Q\n") if b"BT" in part]
        one, other = (run.split(b" cm", 1)[0] for run in runs[4:6])
        return drawn.replace(one, b"@@").replace(other, one).replace(b"@@", other)

    forger.draw(forger.pages[0], change)


def words_in_invisible_ink(forger: Forger) -> None:
    forger.draw(forger.pages[0], lambda drawn: drawn.replace(b"BT 0 Tr", b"BT 3 Tr", 9))


def pale_words(forger: Forger) -> None:
    forger.draw(forger.pages[0], lambda drawn: drawn.replace(b"cs 0 scn\nBT", b"cs 1 scn\nBT", 9))


def words_off_the_page(forger: Forger) -> None:
    forger.draw(forger.pages[0], lambda drawn: drawn.replace(b"q 1 0 0 -1 155.90552", b"q 1 0 0 -1 1155.90552", 3))


def white_over_a_name_and_a_new_one(forger: Forger) -> None:
    white = b"q 1 0 0 -1 155 700 cm/c0 cs 1 scn 0 0 m 300 0 l 300 90 l 0 90 l\nh\nf\nQ"
    run = b"q 1 0 0 -1 156 660 cm/c0 cs 0 scn\nBT 0 Tr/f0 14 Tf 1 0 0 -1 0 0 Tm<000100070002>Tj\nET\nQ"
    forger.draw(forger.pages[0], lambda drawn: drawn + b"\n" + white + b"\n" + run)


def clipped_words(forger: Forger) -> None:
    forger.draw(forger.pages[0], lambda drawn: b"q 0 0 100 100 re W n\n" + drawn + b"\nQ")


def inline_picture(forger: Forger) -> None:
    told = b"\nq 80 0 0 80 155 600 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \xff EI Q"
    forger.draw(forger.pages[0], lambda drawn: drawn + told)


def a_stroke_makes_another_character(forger: Forger) -> None:
    told = b"\nq 1 0 0 -1 156 702 cm/c0 CS 0 SCN 1 w 4 M 0 0 m 12 0 l\nS\nQ"
    forger.draw(forger.pages[0], lambda drawn: drawn + told)


def words_written_twice(forger: Forger) -> None:
    run = b"q 1 0 0 -1 400 300 cm/c0 cs 0 scn\nBT 0 Tr/f0 14 Tf 1 0 0 -1 0 0 Tm<000100070002>Tj\nET\nQ"
    forger.draw(forger.pages[0], lambda drawn: drawn + b"\n" + run)


def another_page_size(forger: Forger) -> None:
    forger.edit(forger.pages[0], lambda text: text.replace(b"[0 0 595.2756 841.8898]", b"[0 400 595.2756 841.8898]"))


def cropped(forger: Forger) -> None:
    forger.edit(forger.pages[0], lambda text: text.replace(b"/Parent", b"/CropBox[0 400 595 841]/Parent"))


def turned(forger: Forger) -> None:
    forger.edit(forger.pages[0], lambda text: text.replace(b"/Parent", b"/Rotate 180/Parent"))


def object_that_nothing_names(forger: Forger) -> None:
    forger.add(b"<</Hidden(note)>>")


def entry_twice(forger: Forger) -> None:
    told = b"/MediaBox[0 0 100 100]/Parent"
    forger.edit(forger.pages[0], lambda text: text.replace(b"/Parent", told))


HIDDEN_FROM_THE_GATE = {
    font_program_exchanged,
    characters_read_as_others,
    names_exchanged_in_place,
    a_stroke_makes_another_character,
    words_written_twice,
}
"""What stays within the press's ways of drawing: the seal alone tells, and the gate has no key."""
FORGERIES: list[Callable[[Forger], None]] = [
    picture_over_a_name, code_drawn_over_a_name_too, code_made_larger, annotation, form_field, script, attachment,
    layer, another_font, font_program_exchanged, characters_read_as_others, names_exchanged_in_place,
    words_in_invisible_ink, pale_words, words_off_the_page, white_over_a_name_and_a_new_one, clipped_words,
    inline_picture, a_stroke_makes_another_character, words_written_twice, another_page_size, cropped, turned,
    object_that_nothing_names, entry_twice,
]  # fmt: skip
