"""The box itself: settings, memory, hardware. It knows no screen, no web framework and no visitor's language.

May import: the standard library and vendor libraries, each in its one file. Never kiosk, captive_portal, provisioning.
"""
