"""Payment terminals behind one protocol: counter and virtual."""
