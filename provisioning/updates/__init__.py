"""Signed application bundles: reproducibly built, published by TUF, tried in A/B slots, rolled back when unhealthy."""
