"""Orders: what rests, what waits, and the book they rest in."""
