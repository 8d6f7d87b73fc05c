"""nftables in process: the only importer of libnftables (by ctypes; Debian's libnftables1). No program is forked.

One call of ``run`` is one kernel transaction: all of it happens or nothing. Facts: libnftables(3), nft(8).
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from captive_portal.gate.errors import KernelRefused

STATELESS, HANDLE, NUMERIC_TIME, TERSE = 1 << 2, 1 << 3, 1 << 10, 1 << 11
"""Output flags of libnftables.h."""


class Nft:
    """One libnftables context, for one thread (the enforcer's)."""

    def __init__(self) -> None:
        self._library = _library()
        self._space = _namespace()
        self._context = self._open()

    def _open(self) -> int:
        context = self._library.nft_ctx_new(0)
        if not context or self._library.nft_ctx_buffer_output(context):
            raise KernelRefused(what="context", reason="libnftables")
        self._library.nft_ctx_buffer_error(context)
        return int(context)

    def renew(self) -> None:
        """Replace the context, which caches elements even after a terse listing (libnftables 1.0.6: 17 MiB with 10,000
        phones), and return the memory to the kernel. Does nothing in another network namespace than at the start,
        because a new context would belong to that one.
        """
        if _namespace() == self._space:
            self.close()
            self._context = self._open()
            self._library.malloc_trim(0)

    def run(self, commands: str, flags: int = 0) -> str:
        """Run ``commands`` as one transaction; what nft printed. Raises KernelRefused with nft's first error message,
        without its line of input, which may contain a MAC.
        """
        self._library.nft_ctx_output_set_flags(self._context, flags)
        failed = self._library.nft_run_cmd_from_buffer(self._context, commands.encode())
        printed = self._library.nft_ctx_get_output_buffer(self._context) or b""
        complaint = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if failed:
            raise KernelRefused(what="nft", reason=_first_complaint(complaint))
        return str(printed.decode("utf-8", "replace"))

    def close(self) -> None:
        """Free the context."""
        if self._context:
            self._library.nft_ctx_free(self._context)
            self._context = 0


def _namespace() -> int:
    """This thread's network namespace."""
    return Path("/proc/thread-self/ns/net").stat().st_ino


def _first_complaint(text: bytes) -> str:
    for line in text.decode("utf-8", "replace").splitlines():
        _, found, what = line.partition("Error: ")
        if found:
            return what[:80]
    return "unknown"


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL("libnftables.so.1")
    context = ctypes.c_void_p
    library.nft_ctx_new.restype, library.nft_ctx_new.argtypes = context, [ctypes.c_uint32]
    for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_free"):
        getattr(library, name).argtypes = [context]
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes = [context]
        getattr(library, name).restype = ctypes.c_char_p
    library.nft_ctx_output_set_flags.argtypes = [context, ctypes.c_uint]
    library.nft_ctx_output_set_flags.restype = None
    library.nft_run_cmd_from_buffer.argtypes = [context, ctypes.c_char_p]
    return library
