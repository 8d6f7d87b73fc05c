"""The connection log: its entries, and their encryption to the city's public key."""
