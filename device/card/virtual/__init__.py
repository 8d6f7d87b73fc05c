"""The virtual My Number card: a throw-away TEST PKI, the card's logic, and its wires to pcscd or straight to a driver.

Product code that a person can operate; the demo, training and CI use it.
"""
