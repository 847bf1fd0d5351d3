"""Who owns what, what it locks, and what the house has taken over."""
