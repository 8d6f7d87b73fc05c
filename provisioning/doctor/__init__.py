"""``hiroba doctor``: every check of one box, its words, and how they are told."""
