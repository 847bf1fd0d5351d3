"""Settings as frozen values: what they mean, their safe defaults, and how they are read."""
