"""Stress: what happens to an account while prices move, event by event, by the arithmetic that the daemon runs on."""
