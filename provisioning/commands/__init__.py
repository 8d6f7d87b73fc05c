"""One file a command of ``hiroba``; each offers ``command``."""
