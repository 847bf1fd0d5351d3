"""Faults: what can go wrong at the venue, as data, and what is set."""
