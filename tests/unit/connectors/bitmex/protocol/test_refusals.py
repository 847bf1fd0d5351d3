"""Every kind of failure to one of the four errors."""

from __future__ import annotations

import msgspec
import pytest

from connectors.bitmex.protocol.refusals import (
    FIRST_BAN_PAUSE_S,
    LONGEST_PAUSE_S,
    Answer,
    error_message,
    is_ban,
    plain_reason,
    refusal,
)
from connectors.errors import (
    DuplicateClientOrderId,
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Unavailable,
    VenueError,
)

HTML_BAN = b"<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>Forbidden</body></html>"
OVERLOADED = "The system is currently overloaded. Please try again later."


def body(message: str, name: str = "HTTPError") -> bytes:
    """Return an error body of the venue."""
    return msgspec.json.encode({"error": {"message": message, "name": name}})


def mapped(
    status: int, sent: bytes, *, is_write: bool = True, headers: dict[str, str] | None = None, took_s: float = 0.0
) -> VenueError:
    """Return the error that an answer means."""
    answer = Answer(status=status, headers=headers or {}, body=sent, took_s=took_s)
    return refusal(answer, is_write=is_write, expires_after_s=10.0)


@pytest.mark.parametrize(
    ("status", "sent", "kind"),
    [
        (400, body("Invalid orderQty"), Rejected),
        (400, body("Account has insufficient Available Balance, 5929700 XBt required", "CodedHTTPError"), Rejected),
        (400, body("Position is in liquidation"), Rejected),
        (400, body("a text nobody has seen"), Rejected),
        (404, body("Not Found"), Rejected),
        (401, body("Signature not valid."), Misconfigured),
        (401, body("Invalid API Key."), Misconfigured),
        (401, body("This key is disabled."), Misconfigured),
        (401, b"", Misconfigured),
        (403, body("Access Denied"), Misconfigured),
        (403, body("Account is restricted"), Misconfigured),
        (403, HTML_BAN, Unavailable),
        (404, b"<html>nothing here</html>", Misconfigured),
        (301, b"", Misconfigured),
        (429, body("Rate limit exceeded, retry in 1 seconds.", "RateLimitError"), Unavailable),
        (429, b"<html>", Unavailable),
        (503, body(OVERLOADED), OutcomeUnknown),
        (503, body("Service unavailable"), OutcomeUnknown),
        (503, b"<html>deploying</html>", OutcomeUnknown),
        (500, body("Server Error"), OutcomeUnknown),
        (502, b"<html><head><title>502 Bad Gateway</title></head></html>", OutcomeUnknown),
        (504, b"", OutcomeUnknown),
        (530, b"", OutcomeUnknown),
        (408, b"", OutcomeUnknown),
        (307, b"", Misconfigured),
        (303, b"", OutcomeUnknown),
        (304, b"", OutcomeUnknown),
        (101, b"", OutcomeUnknown),
    ],
)
def test_writes(status: int, sent: bytes, kind: type[VenueError]) -> None:
    """P5: of a write only a clear verdict counts as refused; an overload reply is asked about like any other."""
    error = mapped(status, sent)
    assert type(error) is kind
    assert error.status == status


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 530])
def test_reads_are_never_unknown(status: int) -> None:
    """A read that failed has no outcome to ask about."""
    assert type(mapped(status, b"", is_write=False)) is Unavailable


@pytest.mark.parametrize(
    "shape", [{"message": "Duplicate clOrdID", "name": "HTTPError"}, {"error": "Duplicate clOrdID: x"}]
)
def test_duplicate_is_recognised_in_every_shape(shape: dict[str, str]) -> None:
    """P4: a repeat refused as duplicate is told apart from other refusals, whatever wraps it."""
    assert type(mapped(400, msgspec.json.encode(shape))) is DuplicateClientOrderId
    assert type(mapped(400, body("Duplicate clOrdID"))) is DuplicateClientOrderId


@pytest.mark.parametrize(
    ("headers", "sent", "wait_s"),
    [
        ({"retry-after": "7"}, body("Rate limit exceeded, retry in 3 seconds."), 7.0),
        ({}, body("Rate limit exceeded, retry in 3 seconds."), 3.0),
        ({}, b"", 1.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"", 1.0),
        ({"retry-after": "nan"}, b"", 1.0),
        ({"retry-after": "99999999"}, b"", LONGEST_PAUSE_S),
    ],
)
def test_pause_after_a_rate_limit(headers: dict[str, str], sent: bytes, wait_s: float) -> None:
    """P8: the pause is what the venue says, in header or text, within sane bounds."""
    error = mapped(429, sent, headers=headers)
    assert isinstance(error, Unavailable)
    assert error.retry_after_s == wait_s


def test_ban_is_told_from_a_missing_right() -> None:
    """A ban is a 403 of HTML from the load balancer; it means a pause that may grow (`bans.py`) and says so."""
    answer = Answer(status=403, headers={"content-type": "text/html"}, body=HTML_BAN)
    assert is_ban(answer)
    error = mapped(403, HTML_BAN)
    assert isinstance(error, Unavailable)
    assert error.retry_after_s == FIRST_BAN_PAUSE_S
    assert "banned" in error.reason
    assert not is_ban(Answer(status=403, headers={}, body=body("Forbidden")))


@pytest.mark.parametrize("status", [400, 401])
def test_expired_request(status: int) -> None:
    """A request that expired on a slow way may go again; one that expired at once says that the clock is off."""
    sent = body("This request has expired - `expires` is in the past. Current time: 1516534870")
    assert type(mapped(status, sent, took_s=9.5)) is Unavailable
    quick = mapped(status, sent, took_s=0.1)
    assert type(quick) is Misconfigured
    assert "clock" in quick.reason


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b'{"error":null}',
        b'{"error":[1]}',
        b'{"error":{"message":5}}',
        b"\xff\xfe",
        b"[" * 5000,
    ],
)
def test_no_body_breaks_the_mapping(sent: bytes) -> None:
    """A parser that expects JSON breaks exactly when the venue is in trouble: this one does not."""
    assert error_message(sent) is None
    for status in (301, 400, 401, 403, 404, 408, 418, 429, 500, 503, 530):
        assert isinstance(mapped(status, sent), VenueError)


def test_reasons_are_short_and_hold_no_signature() -> None:
    """P11: a reason is one printable line, cut short, and anything like a signature is hidden."""
    reason = plain_reason("bad\n" + "ab" * 32 + " " + "x" * 1000)
    assert "\n" not in reason
    assert "abab" not in reason
    assert len(reason) < 320


@pytest.mark.parametrize("status", [400, 401, 403, 404, 503])
@pytest.mark.parametrize("message", ["Duplicate clOrdID", "Access Denied", OVERLOADED])
def test_an_error_that_breaks_off_says_nothing(status: int, message: str) -> None:
    """P5: cut at any byte a refusal may have been "duplicate": no ban, nothing for a person, but a question."""
    whole = body(message)
    for length in range(1, len(whole)):
        assert isinstance(mapped(status, whole[:length]), OutcomeUnknown)
        assert isinstance(mapped(status, whole[:length], is_write=False), Unavailable)
        assert not is_ban(Answer(status=status, headers={}, body=whole[:length]))


def test_a_limit_that_breaks_off_is_a_limit() -> None:
    """P8: the status of a 429 is enough to stay away."""
    error = mapped(429, body("Rate limit exceeded, retry in 1 seconds.")[:20])
    assert isinstance(error, Unavailable)
    assert error.is_limit
