"""Makes a box be what its site file says, shows it first, and rolls it back when the box does not stay healthy."""
