"""What the exchange lists: a table of figures, a calendar for what expires, a reader for other days."""
