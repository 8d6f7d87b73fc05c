"""A strict reader for the PDFs that our press writes: what is not on its white-list is refused, never repaired."""
