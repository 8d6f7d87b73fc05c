"""The city's seal: the QR code on each page, its keys, and how it is checked."""
