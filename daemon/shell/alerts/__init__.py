"""How people are told: the log at once, and a webhook at least once."""
