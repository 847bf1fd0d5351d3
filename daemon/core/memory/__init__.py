"""What the guard remembers, as frozen values: the parts that `state.py` puts together."""
