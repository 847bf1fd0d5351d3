"""What a recording must never show."""

from __future__ import annotations

import pytest

from connectors.simulated.server.redaction import HIDDEN, Redaction

SECRET = "q" * 48
SIGNATURE = "0123456789abcdef" * 4
REDACTION = Redaction(lambda: {SECRET})

TEXTS = [
    ("GET", "/api/v1/order?api-key=k&api-expires=5&api-signature=ab%2B&count=1"),
    ("sign-in", f'{{"op":"authKeyExpires","args":["key",1700000000,"{SIGNATURE}"]}}'),
    ("a wrong sign-in", '{"op": "authKeyExpires", "args": ["key", "1700000000", "ab\\"ab"]}'),
    ("its echo", f'{{"status":401,"request":{{"op":"authKeyExpires","args":["key",1.7e9,"{SIGNATURE.upper()}"]}}}}'),
    ("a secret in the wrong place", f'{{"op":"authKeyExpires","args":["{SECRET}"]}}'),
    ("a new key", '{"id":"k","secret" : "ab\\"ab","nonce":1}'),
    ("a form", "email=me&password=ab%2B&otpToken=ab"),
    ("a signature anywhere", f"GET /?x={SIGNATURE}"),
]


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=[name for name, _ in TEXTS])
def test_secrets_are_hidden(name: str, text: str) -> None:
    """By name, by place, by shape or by value: none of them is left."""
    shown = REDACTION.text(text)
    assert HIDDEN in shown
    for secret in (SECRET, SIGNATURE, SIGNATURE.upper(), "ab%2B", 'ab\\"ab'):
        assert secret not in shown


ORDINARY = [
    '{"orderID":"1a2b3c4d-1a2b-3c4d-1a2b-1a2b3c4d5e6f","execInst":"ParticipateDoNotInitiate","text":"Submitted"}',
    "/api/v1/trade?symbol=XBTUSD&count=10&startTime=2020-03-12T10:40:00.000Z",
    '{"op":"subscribe","args":["orderBookL2_25:XBTUSD","trade"]}',
]


@pytest.mark.parametrize("text", ORDINARY)
def test_the_rest_is_shown_as_it_was(text: str) -> None:
    """Ids, instructions and topics are what a recording is read for."""
    assert REDACTION.text(text) == text


def test_headers() -> None:
    """The key's id is no secret, the signature is."""
    sent = [(b"API-Key", b"abc"), (b"api-signature", SIGNATURE.encode()), (b"Referer", f"/?secret={SECRET}".encode())]
    assert REDACTION.headers(sent) == {"api-key": "abc", "api-signature": HIDDEN, "referer": f"/?secret={HIDDEN}"}
