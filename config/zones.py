"""Time zones by their IANA names, for quiet hours: whether this machine knows one, and how far it is from UTC.

Reads the machine's time zone database, so it belongs to the shell: the core is told the offset with every tick and
knows no zones. Daylight saving time begins and ends with the next tick after it does.

Units: seconds east of UTC; nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

UTC_NAME: Final = "UTC"
"""Known everywhere, also where no database is installed."""
_UNKNOWN: Final = (OSError, ValueError, LookupError)
"""What a name leads to that is no zone, no path below the database, or cannot be read."""


def problem_of_zone(name: str) -> str:
    """Say what is wrong with a name; empty: nothing is.

    Example:
        >>> problem_of_zone("UTC")
        ''
    """
    if name == UTC_NAME:
        return ""
    try:
        ZoneInfo(name)
    except _UNKNOWN:
        pass
    else:
        return ""
    known = available_timezones()
    if not known:
        return 'cannot be looked up: this machine has no time zone database (package tzdata); "UTC" needs none'
    alike = get_close_matches(name, known, n=1) or [each for each in known if each.lower() == name.lower()]
    meant = f'did you mean "{alike[0]}"?' if alike else 'write an IANA name such as "Europe/Berlin", or "UTC"'
    return f"names no time zone that this machine knows; {meant}"


def offset_s(name: str, at_ns: int) -> int:
    """Return how far a zone's clocks are ahead of UTC at a time; 0 for a zone that cannot be read any more.

    Example:
        >>> offset_s("UTC", 0)
        0
    """
    if name == UTC_NAME:
        return 0
    try:
        ahead = datetime.fromtimestamp(at_ns // 10**9, UTC).astimezone(ZoneInfo(name)).utcoffset()
    except _UNKNOWN:
        return 0
    return 0 if ahead is None else int(ahead.total_seconds())
