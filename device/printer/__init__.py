"""The receipt printer and the A4 printer."""
