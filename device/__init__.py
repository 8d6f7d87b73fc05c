"""The box itself: settings, storage, hardware. It knows no screen, no web framework and no visitor's language."""
