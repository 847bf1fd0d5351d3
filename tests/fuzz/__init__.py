"""Bytes from outside, at their worst: every parser of the product under mutation (`make fuzz`, see docs/fuzzing.md)."""
