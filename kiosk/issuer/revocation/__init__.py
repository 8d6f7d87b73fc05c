"""Whether a card was revoked: lists (CRL) and a responder (OCSP) behind one port; without a fresh word, no."""
