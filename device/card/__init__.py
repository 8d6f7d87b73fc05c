"""The My Number card and its reader."""
