"""A box's road to city hall: key, credential, line, heartbeat."""
