"""The gate: the only part with CAP_NET_ADMIN; it decides which phones pass and applies that to the kernel."""
