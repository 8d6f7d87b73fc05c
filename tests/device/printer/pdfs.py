"""Small PDFs for tests, written by hand."""

from __future__ import annotations


def pdf(pages: int = 1) -> bytes:
    """A PDF of that many A4 pages, each with one black square."""
    ink = b"72 600 100 100 re f"
    kids = b" ".join(b"%d 0 R" % (4 + n) for n in range(pages))
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        b"<</Length %d>>stream\n%s\nendstream" % (len(ink), ink),
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 3 0 R>>"] * pages,
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(bodies) + 1
    tail = b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return out + tail % (size, table, size, len(out))
