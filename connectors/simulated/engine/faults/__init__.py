"""Faults: what goes wrong at the venue, as data; and what the engine's own faults do."""
