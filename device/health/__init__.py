"""The health of the box: thin readers of the machine, and the thresholds at which a reading becomes a finding.

A reading that cannot be had is None and becomes "not applicable", never a false OK.
"""
