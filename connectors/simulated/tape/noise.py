"""Seeded noise that can be read at any place without reading what comes before.

Why: a tape must give step 100,000 after a restart exactly as it would have without one. Noise that
is a function of (seed, place) needs no generator state to be carried along or wound forward.

Units: `unit` returns a float in [0, 1). Source: the finaliser of the SplitMix64 generator.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def derive(seed: int, *places: int) -> int:
    """Return a 64-bit seed of its own for the place, unrelated to that of every other place."""
    state = _mix(seed & _MASK)
    for place in places:
        state = _mix((state + _GOLDEN * (place + 1)) & _MASK)
    return state


def unit(seed: int, place: int) -> float:
    """Return the number in [0, 1) that stands at a place of a derived seed."""
    return _mix((seed + _GOLDEN * (place + 1)) & _MASK) / (_MASK + 1)


def _mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
