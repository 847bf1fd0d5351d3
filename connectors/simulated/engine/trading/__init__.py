"""From a request to a fill: checks, matching, triggers, amendments, leverage."""
