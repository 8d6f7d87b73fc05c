"""Site files: one frozen object for a box, the file of a whole city, its checks, its schema."""
