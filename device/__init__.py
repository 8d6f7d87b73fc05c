"""The box itself: settings, memory, hardware. It knows no screen, no web framework and no visitor's language."""
