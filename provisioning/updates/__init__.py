"""Signed application bundles: built the same twice, published by TUF, tried in A/B slots, taken back when ill."""
