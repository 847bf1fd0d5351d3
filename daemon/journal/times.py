"""Times as people write and read them. Always UTC: a journal is read far from where it was written.

Units: nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

NS_PER_S = 1_000_000_000
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?Z?")


def moment(at_ns: int) -> str:
    """Return a time for people and machines, to the millisecond; "-" for never.

    Example:
        >>> moment(1_000_000_000_123_000_000)
        '2001-09-09T01:46:40.123Z'
    """
    if not at_ns:
        return "-"
    second, rest_ns = divmod(at_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns // 1_000_000:03d}Z"


def time_of_day_ns(text: str) -> int | None:
    """Read "12:03", "12:03:04" or "12:03:04.5" as nanoseconds since midnight; None if it is none."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = (match[4] or ".0")[1:].ljust(9, "0")
    return (hour * 3600 + minute * 60 + second) * NS_PER_S + int(fraction)


def instant_ns(text: str) -> int | None:
    """Read an ISO 8601 date, with or without a time; one without a zone is UTC. None if it is none, or before 1970.

    Example:
        >>> instant_ns("2001-09-09T01:46:40Z")
        1000000000000000000
    """
    if _INSTANT.fullmatch(text) is None:
        return None
    try:
        read = datetime.fromisoformat(text)
        since = (read if read.tzinfo is not None else read.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    whole_s = since.days * 86_400 + since.seconds
    return whole_s * NS_PER_S + since.microseconds * 1_000 if whole_s >= 0 else None
