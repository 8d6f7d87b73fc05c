"""The encrypted volume under a box's state: made once, opened at each start."""
