"""The resident signs in: card on the reader, PIN, and the issuer says who it is. Services share these screens."""
