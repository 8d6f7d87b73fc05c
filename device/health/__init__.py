"""How the box is: thin readers of the machine, and pure judges that turn a reading into a finding.

A reading that cannot be had is None and becomes "not applicable", never a false OK.
"""
