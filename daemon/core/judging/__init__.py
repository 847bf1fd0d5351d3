"""The rulebook: what the account rules find, in which order it counts, and what follows."""
