"""The resident's touch screen, and the municipal issuer."""
