"""``python -m provisioning`` is the same as ``hiroba``. May import: cli."""

from provisioning.cli import main

main()
