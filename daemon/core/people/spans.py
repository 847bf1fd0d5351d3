"""How long something took or will take, in words that need no arithmetic at night."""

from __future__ import annotations

_SECOND_NS = 10**9
_COARSE_MIN = 10
"""From here on nobody counts the seconds."""


def span(duration_ns: int) -> str:
    """A duration for people, in whole units, the finer one dropped where nobody asks for it.

    Example:
        >>> [span(each * 10**9) for each in (0, 59, 66, 901, 5_400, 180_000)]
        ['0 s', '59 s', '1 min 6 s', '15 min', '1 h 30 min', '2 d 2 h']
    """
    whole_s = duration_ns // _SECOND_NS
    minutes, rest_s = divmod(whole_s, 60)
    hours, rest_min = divmod(minutes, 60)
    days, rest_h = divmod(hours, 24)
    if days:
        return f"{days} d {rest_h} h"
    if hours:
        return f"{hours} h {rest_min} min"
    if minutes >= _COARSE_MIN:
        return f"{minutes} min"
    return f"{minutes} min {rest_s} s" if minutes else f"{rest_s} s"
