"""The stop of a position: what the rules want, what covers it, and the proof that it is covered."""
