"""The choke point (P1): whether a command may leave, given the newest state."""
