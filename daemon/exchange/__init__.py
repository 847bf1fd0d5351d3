"""`seawall exchange`: the embedded exchange as a process of its own, and what goes with it."""
