"""What the faults outside the engine do: to requests, to answers, to frames, to sign-ins."""
