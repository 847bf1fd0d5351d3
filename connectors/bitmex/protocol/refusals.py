"""Answers that are not success, mapped once to the four errors of `connectors.errors`.

| answer | write | read |
|---|---|---|
| 400 and other 4xx with the venue's error body | Rejected | Rejected |
| 400 "Duplicate clOrdID" | DuplicateClientOrderId | - |
| 401, 403 with an error body | Misconfigured | Misconfigured |
| 401 or 400 "request has expired" after a slow way there | Unavailable | Unavailable |
| 403 with HTML: the address is banned | Unavailable, pause that grows to two minutes | the same |
| 404 with HTML, a redirect: not the venue's API | Misconfigured | Misconfigured |
| 1xx, and 3xx that do not say "send it there": nobody knows | OutcomeUnknown | Unavailable |
| 408, 5xx: nobody knows | OutcomeUnknown | Unavailable |
| any but 429 with an error body that breaks off | OutcomeUnknown | Unavailable |
| 429 | Unavailable, pause as told | the same |
| 503 with the overload text: by its wording nothing was done; asked all the same | OutcomeUnknown | Unavailable |
| no connection was made | Unavailable | Unavailable |
| connection lost, no answer in time, unreadable answer | OutcomeUnknown | Unavailable |

Texts are matched by prefix, never by equality, and kept for people: shortened, and without anything that looks like a
signature.

Source: www.bitmex.com/app/restAPI, testnet.bitmex.com/app/restAPIMessages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from connectors.bitmex.protocol.numbers import NOT_JSON
from connectors.errors import (
    DuplicateClientOrderId,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Unavailable,
    VenueError,
)

BAN_PAUSE_S: Final = 120.0
"""A ban lasts about an hour. One try in two minutes is far from the pace that earns one, and finds its end soon."""
FIRST_BAN_PAUSE_S: Final = 15.0
"""One page of 403 may be a slip of whatever stands before the venue, and no stop can be placed meanwhile."""
LONGEST_PAUSE_S: Final = BAN_PAUSE_S
"""The venue's wish is believed up to here: a bucket of a minute is full again by then, and an odd number must not leave
positions unattended for an hour."""
OVERLOAD_PAUSE_S: Final = 0.5
"""The venue's own advice."""
TROUBLE_PAUSE_S: Final = 1.0
RATE_PAUSE_S: Final = 1.0
_LONGEST_REASON: Final = 300

_OVERLOADED: Final = "The system is currently overloaded"
_EXPIRED: Final = "This request has expired"
_DUPLICATE: Final = "Duplicate clOrdID"
_REDIRECTS: Final = frozenset({301, 302, 307, 308})
"""The request is to be sent elsewhere, so it was not carried out here. 303 points to the outcome of what was done."""
_RETRY_IN: Final = re.compile(r"retry in (\d+(?:\.\d+)?) ?s", re.IGNORECASE)
_SIGNATURE_LIKE: Final = re.compile(r"[0-9A-Fa-f]{40,}")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One HTTP answer as it arrived; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_s: float = 0.0
    """Seconds from sending to answer: tells a slow way from a wrong clock."""


def plain_reason(text: str) -> str:
    """Return a text of the venue fit for logs: one line, short, nothing that looks like a signature."""
    line = _SIGNATURE_LIKE.sub("(hidden)", _UNPRINTABLE.sub(" ", text)).strip()
    return line if len(line) <= _LONGEST_REASON else line[:_LONGEST_REASON] + "..."


def error_message(body: bytes) -> str | None:
    """Return the venue's error text out of any of the known shapes; None if this is no error body of the venue."""
    try:
        decoded = msgspec.json.decode(body)
    except NOT_JSON:
        return None
    if not isinstance(decoded, dict):
        return None
    inner = decoded.get("error", decoded)
    message = inner.get("message") if isinstance(inner, dict) else inner
    return plain_reason(message) if isinstance(message, str) else None


def is_broken_off(body: bytes) -> bool:
    """Whether this begins like the venue's JSON and does not end: only its status has been heard."""
    if body.lstrip()[:1] not in {b"{", b"["}:
        return False
    try:
        msgspec.json.decode(body)
    except NOT_JSON:
        return True
    return False


def is_ban(answer: Answer) -> bool:
    """Whether the load balancer refuses this address: 403 without the venue's error body, or what is left of one."""
    return answer.status == 403 and error_message(answer.body) is None and not is_broken_off(answer.body)


def retry_after_s(answer: Answer, message: str | None) -> float:
    """Return the seconds to wait after a 429, from header or text."""
    try:
        told = float(answer.headers.get("retry-after", ""))
    except ValueError:
        found = _RETRY_IN.search(message or "")
        told = float(found.group(1)) if found else RATE_PAUSE_S
    return min(max(told, 0.1), LONGEST_PAUSE_S) if told == told else RATE_PAUSE_S  # noqa: PLR0124 -- NaN


def refusal(answer: Answer, *, is_write: bool, expires_after_s: float) -> VenueError:
    """Return the error that an answer other than 2xx means."""
    if answer.status != 429 and is_broken_off(answer.body):
        reason = f"HTTP {answer.status}, and its text broke off"
        return unanswered(reason, is_write=is_write, status=answer.status)
    return _refusal(answer, is_write=is_write, expires_after_s=expires_after_s)


def _refusal(answer: Answer, *, is_write: bool, expires_after_s: float) -> VenueError:
    message = error_message(answer.body)
    reason = message or f"HTTP {answer.status} without the venue's error body"
    match answer.status:
        case 429:
            return Unavailable(reason, status=429, retry_after_s=retry_after_s(answer, message), is_limit=True)
        case 401 | 400 if reason.startswith(_EXPIRED):
            return _expired(answer, reason, expires_after_s)
        case 401 | 403:
            return _not_allowed(answer, reason)
        case 503 if reason.startswith(_OVERLOADED) and not is_write:
            return Unavailable(reason, status=503, retry_after_s=OVERLOAD_PAUSE_S)
        case status if status == 408 or status >= 500 or (status < 400 and status not in _REDIRECTS):
            return unanswered(reason, is_write=is_write, status=status)
        case status:
            return _refused(status, message)


def _not_allowed(answer: Answer, reason: str) -> VenueError:
    if is_ban(answer):
        reason = "this address is banned by the venue"
        return Unavailable(reason, status=403, retry_after_s=FIRST_BAN_PAUSE_S, is_limit=True)
    return Misconfigured(reason, status=answer.status)


def _refused(status: int, message: str | None) -> VenueError:
    if status < 400 or message is None:
        return Misconfigured(f"HTTP {status}, not an answer of the venue's API", status=status)
    if message.startswith(_DUPLICATE):
        return DuplicateClientOrderId(message, status=status)
    return Rejected(message, status=status)


def _expired(answer: Answer, reason: str, expires_after_s: float) -> VenueError:
    """A late request was not carried out. Late because the way was slow: try again. Otherwise the clock is off."""
    if answer.took_s >= expires_after_s - 1.0:  # the expiry was rounded down to a whole second
        return Unavailable(reason, status=answer.status)
    return Misconfigured(f"clock: {reason}", status=answer.status)


def unanswered(reason: str, *, is_write: bool, status: int | None = None) -> VenueError:
    """Return the error of a request that left and has no verdict."""
    if is_write:
        return OutcomeUnknown(reason, status=status)
    return Unavailable(reason, status=status, retry_after_s=TROUBLE_PAUSE_S)


def connection_trouble(broken: BaseException) -> str:
    """Return why there is no connection, in words where the name of the error has none for people."""
    match type(broken).__name__:
        case "gaierror":
            return "its name cannot be resolved"
        case "SSLCertVerificationError":
            return "its certificate cannot be verified"
        case name:
            return name


def not_sent(reason: str) -> Unavailable:
    """Return the error of a request that never left."""
    return Unavailable(reason, retry_after_s=OVERLOAD_PAUSE_S)
