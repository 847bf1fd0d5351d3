"""What a person at a terminal sees of a running guard: tables, a live view, the journal as it grows, completion."""
