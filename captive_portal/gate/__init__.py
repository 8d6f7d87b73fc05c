"""The gate: the only part with CAP_NET_ADMIN; it lets phones through."""
