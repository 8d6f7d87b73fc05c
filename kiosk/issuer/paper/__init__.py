"""From the words of a certificate to a PDF: glyph check, layout, composition, typst."""
