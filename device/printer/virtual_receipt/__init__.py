"""An ESC/POS receipt printer as a process: it draws what it receives and can be made to fail. Demo, training, CI."""
