"""``python -m provisioning`` is the same as ``hiroba``."""

from provisioning.cli import main

main()
