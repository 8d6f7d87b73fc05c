"""The peer of the receipt: python-escpos's own ``image()`` of the same picture, into memory.

The only file of the bench that imports escpos and PIL.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable


def image_job(bits: bytes, width: int, height: int) -> Callable[[], bytes]:
    """What is to be timed: the finished picture (packed bits, 1 = black) made into the printer's bytes."""
    from escpos.printer import Dummy
    from PIL import Image

    picture = Image.frombytes("1", (width, height), bits, "raw", "1;I")

    def encode() -> bytes:
        printer = Dummy()
        with contextlib.redirect_stdout(io.StringIO()):  # it prints a remark about its profile for every picture
            printer.image(picture, impl="bitImageRaster", center=False)
        return bytes(printer.output)

    return encode
