"""``hiroba bench``: what Hiroba costs, beside peers."""
