"""How the box is: thin readers of the machine, and what a finding is.

The checks that turn readings into findings are upstairs, one file each.
A reading that cannot be had is None and becomes "not applicable", never a false OK.
"""
