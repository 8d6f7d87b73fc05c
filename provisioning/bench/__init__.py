"""``hiroba bench``: what Hiroba costs, beside peers. May import: every floor below, provisioning."""
