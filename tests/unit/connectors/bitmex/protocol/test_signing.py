"""Signatures against the vectors that BitMEX publishes (www.bitmex.com/app/apiKeysUsage)."""

from __future__ import annotations

import msgspec
import pytest

from config.credentials import Secret
from connectors.bitmex.protocol.signing import sign_in_frame, signature, signed_headers
from tests.unit.connectors.bitmex.bitmex_builders import CREDENTIALS, KEY, SECRET

LONG_BODY = b'{"symbol":"XBTM15","price":219.0,"clOrdID":"mm_bitmex_1a/oemUeQ4CAJZgP3fjHsA","orderQty":98}'
FILTERED = "/api/v1/instrument?filter=%7B%22symbol%22%3A+%22XBTM15%22%7D"


@pytest.mark.parametrize(
    ("secret", "verb", "path", "expires_s", "body", "digest"),
    [
        (SECRET, "GET", "/api/v1/instrument", 1518064236, b"", "c7682d435d0cfe87c16098df34ef2eb5a549d4c5a3c2b1f0f77b8af73423bf00"),  # noqa: E501
        (SECRET, "GET", FILTERED, 1518064237, b"", "e2f422547eecb5b3cb29ade2127e21b858b235b386bfa45e1c1756eb3383919f"),
        (SECRET, "POST", "/api/v1/order", 1518064238, LONG_BODY, "1749cd2ccae4aa49048ae09f0b95110cee706e0944e6a14ad0b3a8cb45bd336b"),  # noqa: E501
        ("secret", "GET", "/api/v1/order", 1518064236, b"", "05b241833763473e08eff9bc87f8850ae402c50daeccc7f3afdc998b4e937122"),  # noqa: E501
        ("secret", "POST", "/api/v1/order", 1518064238, b'{"symbol":"XBTUSD"}', "37a90d9a89f8dc9d6e2edf88dc8609e8ee7810b9e3f42e66d2d41f83ab64b01e"),  # noqa: E501
        (SECRET, "GET", "/realtime", 1518064236, b"", "6d459dc02866d35a2b965edeecc68063d488e296b77982235fc6eca24b934945"),  # noqa: E501
    ],
)  # fmt: skip
def test_published_vectors(secret: str, verb: str, path: str, expires_s: int, body: bytes, digest: str) -> None:
    """Each published message gives its published digest."""
    assert signature(Secret(secret), verb=verb, path=path, expires_s=expires_s, body=body) == digest


def test_headers_carry_whole_seconds() -> None:
    """The three headers name key, expiry in digits and signature, and nothing else."""
    headers = signed_headers(CREDENTIALS, verb="GET", path="/api/v1/instrument", expires_s=1518064236)
    assert headers == {
        "api-key": KEY,
        "api-expires": "1518064236",
        "api-signature": "c7682d435d0cfe87c16098df34ef2eb5a549d4c5a3c2b1f0f77b8af73423bf00",
    }


def test_sign_in_message() -> None:
    """The WebSocket sign-in signs GET/realtime and does not hold the secret (P11)."""
    frame = sign_in_frame(CREDENTIALS, expires_s=1518064236)
    assert msgspec.json.decode(frame) == {
        "op": "authKeyExpires",
        "args": [KEY, 1518064236, "6d459dc02866d35a2b965edeecc68063d488e296b77982235fc6eca24b934945"],
    }
    assert SECRET.encode() not in frame
