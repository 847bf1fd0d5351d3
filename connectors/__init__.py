"""Ways to a venue: the words it is described in, the ports the daemon knows, and the adapters."""
