"""One file a command of ``hiroba``; each offers ``command``. May import: every floor below, provisioning."""
