"""Back-up, restore and disposal of one box's state."""
