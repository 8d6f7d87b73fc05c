"""The white-list of a paper: every object of the file has one of the places below, and every page draws only what
read_drawing knows, with fonts of these rules, and one picture at most: the code. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from device.qr import Pixels
from device.strict_pdf.document import PdfFile, PdfObject, document_digest, is_name, is_stream_of
from device.strict_pdf.document import read as read_file
from device.strict_pdf.drawing import PAGE, read_drawing
from device.strict_pdf.syntax import Name, Reference, Value, refused

REASONS = ("structure", "page", "annotation", "active", "font", "picture", "drawing", "hidden")
"""Why a PDF is none of ours: its file or an object · a page's size or entries · something laid on a page · forms,
scripts, files, layers · a font · a picture · the drawing · what does not lie open on the page.
"""
_TAG = re.compile(r"[A-Z]{6}\+")
_ACTIVE = {"AcroForm", "OpenAction", "AA", "Names", "OCProperties", "Outlines", "AF", "Collection", "URI", "Perms"}
_CATALOG = {"Type", "Pages", "Metadata", "Lang", "ViewerPreferences"}
_PAGE_KEYS = {"Type", "Resources", "MediaBox", "Parent", "Contents"}
_RESOURCES = {"ProcSet", "ColorSpace", "XObject", "Font"}
_COMPOSITE = {"Type", "Subtype", "BaseFont", "Encoding", "DescendantFonts", "ToUnicode"}
_DESCENDANT = {"Type", "Subtype", "BaseFont", "CIDSystemInfo", "FontDescriptor", "DW", "CIDToGIDMap", "W"}
_DESCRIPTOR = {
    *("Type", "FontName", "Flags", "FontBBox", "ItalicAngle", "Ascent", "Descent", "CapHeight", "XHeight", "StemV"),
    *("CIDSet", "FontFile2"),
}
_SIMPLE = {"Type", "Subtype", "BaseFont"}
_IMAGE = {"Type", "Subtype", "Width", "Height", "ColorSpace", "BitsPerComponent"}
_INFO = {"Title", "Author", "Creator", "Producer", "ModDate", "CreationDate"}
MAX_SIDE = 200
"""Pixels of a code's picture, one a module."""


@dataclass(frozen=True)
class PageRules:
    """Which fonts may stand on a page. embedded: subsets that the file carries, by their PostScript names; standard:
    fonts that every reader has (for the papers of the memory issuer).
    """

    embedded: frozenset[str] = frozenset({"IPAmjMincho"})
    standard: frozenset[str] = frozenset()


OUR_PAPERS = PageRules()
PLAIN_PAPERS = PageRules(frozenset(), frozenset({"Helvetica"}))
"""Those of kiosk.issuer.memory."""


@dataclass(frozen=True)
class CheckedPdf:
    """A file that holds nothing but our press's. codes: the picture of every page, None for a page without one."""

    file: PdfFile
    codes: tuple[Pixels | None, ...]

    @property
    def digest(self) -> bytes:
        """See drawing_digest."""
        return drawing_digest(self.file)


def drawing_digest(file: PdfFile) -> bytes:
    """document_digest of all but the pixels of the codes, which bear it, and the metadata, which repeats the file's
    identifiers and is never drawn. Says something of a file that passed check_pages, or that our press just made.
    """
    bare = {number for number, found in file.objects.items() if is_code(found)}
    metadata = file.root.dictionary.get("Metadata")
    if isinstance(metadata, Reference):
        bare.add(metadata.number)
    return document_digest(file, frozenset(bare))


def is_code(found: PdfObject) -> bool:
    """Whether it is a picture; check_pages knows none but codes."""
    return found.packed is not None and is_name(found.dictionary.get("Subtype"), "Image")


def check_pages(pdf: bytes, rules: PageRules = OUR_PAPERS) -> CheckedPdf:
    """Holds ``pdf`` against the white-list. Raises NotOurPdf."""
    file = read_file(pdf)
    walk = _Walk(file, rules)
    codes = walk.catalog()
    if walk.seen != set(file.objects):
        raise refused()
    return CheckedPdf(file, codes)


class _Walk:
    """Gives every object its place; one place each."""

    def __init__(self, file: PdfFile, rules: PageRules) -> None:
        self._file, self._rules = file, rules
        self.seen: set[int] = {file.root.number}
        self._pictures: dict[int, Pixels] = {}
        self._fonts: set[int] = set()
        self._spaces: set[int] = set()

    def catalog(self) -> tuple[Pixels | None, ...]:
        root = _keys(self._file.root, _CATALOG)
        if "Metadata" in root and not is_stream_of(self._new(root["Metadata"]), "Type", "Subtype"):
            raise refused()
        _direction(root.get("ViewerPreferences", {}))
        if self._file.info is not None:
            self.seen.add(self._file.info.number)
            _strings(_keys(self._file.info, _INFO))
        tree = self._new(root["Pages"])
        pages = _keys(tree, {"Type", "Count", "Kids"})
        kids = pages["Kids"]
        if not isinstance(kids, list) or pages["Count"] != len(kids) or not kids:
            raise refused("page")
        return tuple(self._page(self._new(kid), tree.number) for kid in kids)

    def _page(self, page: PdfObject, tree: int) -> Pixels | None:
        if "Annots" in page.dictionary:
            raise refused("annotation")
        entries = _keys(page, _PAGE_KEYS, "page")
        box = entries["MediaBox"]
        near = (
            isinstance(box, list)
            and len(box) == 4
            and all(isinstance(side, float) and abs(side - edge) < 0.5 for side, edge in zip(box, PAGE, strict=True))
        )
        if not near or entries["Parent"] != Reference(tree) or not is_name(entries["Type"], "Page"):
            raise refused("page")
        content = self._new(entries["Contents"])
        if not is_stream_of(content):
            raise refused("page")
        return self._drawing(content.stream(), self._resources(entries["Resources"]))

    def _drawing(self, content: bytes, resources: dict[str, dict[str, Value]]) -> Pixels | None:
        drawn = read_drawing(content)
        fonts, spaces, pictures = (resources[name] for name in ("Font", "ColorSpace", "XObject"))
        if drawn.fonts != fonts.keys() or not drawn.spaces <= spaces.keys() or set(drawn.pictures) != pictures.keys():
            raise refused()
        if len(drawn.pictures) > 1:
            raise refused("picture")
        found = [self._picture(value) for value in pictures.values()]
        return found[0] if found else None

    def _resources(self, value: Value) -> dict[str, dict[str, Value]]:
        entries = _keys(self._shared(value), _RESOURCES, needs=())
        found: dict[str, dict[str, Value]] = {}
        for name in ("Font", "ColorSpace", "XObject"):
            part = entries.get(name, {})
            if not isinstance(part, dict):
                raise refused()
            found[name] = part
        for font in found["Font"].values():
            self._font(self._shared(font))
        for space in found["ColorSpace"].values():
            self._space(space)
        return found

    def _font(self, font: PdfObject) -> None:
        if font.number in self._fonts:
            return
        self._fonts.add(font.number)
        name = font.dictionary.get("BaseFont")
        if isinstance(name, Name) and name in self._rules.standard:
            if not is_name(_keys(font, _SIMPLE, "font")["Subtype"], "Type1"):
                raise refused("font")
            return
        entries = _keys(font, _COMPOSITE, "font")
        self._embedded(name)
        children = entries["DescendantFonts"]
        if not is_name(entries["Encoding"], "Identity-H") or not isinstance(children, list) or len(children) != 1:
            raise refused("font")
        if not is_stream_of(self._new(entries["ToUnicode"]), "Type", "WMode", "CMapName", "CIDSystemInfo"):
            raise refused("font")
        self._descendant(_keys(self._new(children[0]), _DESCENDANT, "font"))

    def _descendant(self, entries: dict[str, Value]) -> None:
        self._embedded(entries["BaseFont"])
        descriptor = _keys(self._new(entries["FontDescriptor"]), _DESCRIPTOR, "font", needs=("FontName", "FontFile2"))
        self._embedded(descriptor["FontName"])
        plain = is_name(entries["Subtype"], "CIDFontType2") and is_name(entries["CIDToGIDMap"], "Identity")
        streams = [self._new(descriptor[key]) for key in ("CIDSet", "FontFile2") if key in descriptor]
        if not plain or not all(is_stream_of(stream, "Length1") for stream in streams):
            raise refused("font")

    def _embedded(self, name: Value) -> None:
        if not isinstance(name, Name) or not _TAG.match(name) or name[7:] not in self._rules.embedded:
            raise refused("font")

    def _space(self, value: Value) -> None:
        """A grey one: DeviceGray, or an ICC profile of one component."""
        if is_name(value, "DeviceGray"):
            return
        found = self._shared(value)
        if found.number in self._spaces:
            return
        self._spaces.add(found.number)
        parts = found.value
        if not isinstance(parts, list) or len(parts) != 2 or not is_name(parts[0], "ICCBased"):
            raise refused("drawing")
        profile = self._shared(parts[1])
        if not is_stream_of(profile, "N", "Range", "Alternate") or profile.dictionary.get("N") != 1:
            raise refused("drawing")

    def _picture(self, value: Value) -> Pixels:
        found = self._shared(value)
        if found.number not in self._pictures:
            self._pictures[found.number] = self._code(found)
        return self._pictures[found.number]

    def _code(self, found: PdfObject) -> Pixels:
        if not is_stream_of(found, *_IMAGE):
            raise refused("picture")
        entries = found.dictionary
        self._space(entries.get("ColorSpace"))
        width, height = entries.get("Width"), entries.get("Height")
        if not isinstance(width, float) or width != height or not 0 < width <= MAX_SIDE:
            raise refused("picture")
        side = int(width)
        grey = found.stream()
        if entries.get("BitsPerComponent") != 8 or len(grey) != side * side or grey.translate(None, b"\0\xff"):
            raise refused("picture")
        return Pixels(side, grey)

    def _new(self, value: Value) -> PdfObject:
        """An object that nothing else refers to."""
        found = self._file.follow(value)
        if found.number in self.seen:
            raise refused()
        self.seen.add(found.number)
        return found

    def _shared(self, value: Value) -> PdfObject:
        found = self._file.follow(value)
        self.seen.add(found.number)
        return found


def _keys(
    found: PdfObject, known: set[str], reason: str = "structure", needs: tuple[str, ...] | None = None
) -> dict[str, Value]:
    """The entries, which must be among ``known``; ``needs``: those that must be there, the obligatory ones of a role
    that our press always writes unless told.
    """
    entries = found.dictionary
    if _ACTIVE & entries.keys():
        raise refused("active")
    wanted = known - {"Metadata", "Lang", "ViewerPreferences", *_INFO} if needs is None else set(needs)
    if not wanted <= entries.keys() <= known:
        raise refused(reason)
    return entries


def _direction(value: Value) -> None:
    if value not in ({}, {"Direction": Name("L2R")}):
        raise refused("active")


def _strings(entries: dict[str, Value]) -> None:
    if not all(isinstance(value, bytes) for value in entries.values()):
        raise refused()
