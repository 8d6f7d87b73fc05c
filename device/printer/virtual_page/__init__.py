"""An IPP printer as a process: it draws what it receives and can be made to fail. For demo, training and CI."""
