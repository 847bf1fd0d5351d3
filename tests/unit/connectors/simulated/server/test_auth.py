"""Request signing and key permissions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.auth import (
    Access,
    ApiKey,
    Claim,
    Keyring,
    Permission,
    derive_keys,
    require_access,
    signature,
)

PUBLISHED_KEY = "LAqUlngMIQkIUjXMUreyu3qn"
PUBLISHED_SECRET = "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO"
NOW_MS = 1_518_064_000_000


@pytest.mark.parametrize(
    ("verb", "path", "expires", "body", "digest"),
    [
        (
            "GET",
            "/api/v1/instrument",
            "1518064236",
            b"",
            "c7682d435d0cfe87c16098df34ef2eb5a549d4c5a3c2b1f0f77b8af73423bf00",
        ),
        (
            "GET",
            "/api/v1/instrument?filter=%7B%22symbol%22%3A+%22XBTM15%22%7D",
            "1518064237",
            b"",
            "e2f422547eecb5b3cb29ade2127e21b858b235b386bfa45e1c1756eb3383919f",
        ),
        (
            "POST",
            "/api/v1/order",
            "1518064238",
            b'{"symbol":"XBTM15","price":219.0,"clOrdID":"mm_bitmex_1a/oemUeQ4CAJZgP3fjHsA","orderQty":98}',
            "1749cd2ccae4aa49048ae09f0b95110cee706e0944e6a14ad0b3a8cb45bd336b",
        ),
        ("GET", "/realtime", "1518064236", b"", "6d459dc02866d35a2b965edeecc68063d488e296b77982235fc6eca24b934945"),
    ],
)
def test_signature_matches_the_published_vectors(verb: str, path: str, expires: str, body: bytes, digest: str) -> None:
    """BitMEX's documented requests give BitMEX's documented digests."""
    assert signature(PUBLISHED_SECRET, verb=verb, path=path, expires=expires, body=body) == digest


def keyring(expired_status: int = 401) -> Keyring:
    """Return a ring with the published key in it."""
    key = ApiKey(
        name="trading",
        key_id=PUBLISHED_KEY,
        secret=PUBLISHED_SECRET,
        account=7,
        permissions=frozenset({Permission.ORDER}),
    )
    return Keyring([key], expired_status=expired_status)


def claim(*, key_id: str = PUBLISHED_KEY, expires: str = "1518064236", signed: str | None = None) -> Claim:
    """Return a claim for `GET /api/v1/order`, signed correctly unless told otherwise."""
    digest = signed or signature(PUBLISHED_SECRET, verb="GET", path="/api/v1/order", expires=expires)
    return Claim(key_id=key_id, expires=expires, signature=digest)


def verify(ring: Keyring, one: Claim, *, now_ms: int = NOW_MS) -> ApiKey:
    """Check a claim for `GET /api/v1/order`."""
    return ring.verify(one, verb="GET", paths=["/api/v1/order"], body=b"", now_ms=now_ms)


def test_right_signature_names_the_account() -> None:
    """A correct claim gives the key and through it the account."""
    assert verify(keyring(), claim()).account == 7


@pytest.mark.parametrize(
    ("wrong", "status", "text"),
    [
        (claim(key_id="nobody"), 401, "Invalid API Key."),
        (claim(signed="00" * 32), 401, "Signature not valid."),
        (claim(signed="é"), 401, "Signature not valid."),
        (claim(expires="soon"), 401, "Signature not valid."),
        (claim(expires="1" * 400), 401, "Signature not valid."),
        (claim(expires="1518063999"), 401, "This request has expired - `expires` is in the past."),
        (claim(expires="-5"), 401, "This request has expired - `expires` is in the past."),
    ],
)
def test_wrong_claims_are_refused_in_the_venues_words(wrong: Claim, status: int, text: str) -> None:
    """Unknown key, bad signature, junk and late requests each get BitMEX's own text."""
    with pytest.raises(Refused) as refusal:
        verify(keyring(), wrong)
    assert refusal.value.status == status
    assert refusal.value.message.startswith(text)


def test_expiry_far_ahead_is_fine() -> None:
    """Clients send milliseconds or next year; there is no upper bound."""
    assert verify(keyring(), claim(expires="1518064236000")).account == 7


def test_status_of_an_expired_request_is_a_switch() -> None:
    """Where the venue's answer is doubtful, both can be had."""
    with pytest.raises(Refused) as refusal:
        verify(keyring(expired_status=400), claim(expires="1"))
    assert refusal.value.status == 400


def test_keys_follow_from_the_seed_and_differ_between_accounts() -> None:
    """The same seed gives the same keys; another seed or account gives others."""
    assert derive_keys(1, 100) == derive_keys(1, 100)
    ids = {key.key_id for seed in (1, 2) for account in (100, 101) for key in derive_keys(seed, account)}
    assert len(ids) == 24


def test_a_secret_never_shows_in_a_repr() -> None:
    """A key that lands in a log does not carry its secret."""
    key = derive_keys(1, 100)[0]
    assert key.secret not in repr(key)


@pytest.mark.parametrize(
    ("permissions", "access", "allowed"),
    [
        ({Permission.ORDER}, Access.ORDER, True),
        ({Permission.ORDER}, Access.CANCEL, True),
        ({Permission.ORDER_CANCEL}, Access.CANCEL, True),
        ({Permission.ORDER_CANCEL}, Access.ORDER, False),
        (set(), Access.READ, True),
        (set(), Access.CANCEL, False),
        ({Permission.WITHDRAW}, Access.ORDER, False),
    ],
)
def test_permissions(permissions: set[Permission], access: Access, allowed: bool) -> None:
    """A read-only key reads, a cancel-only key cancels but places no stop."""
    key = ApiKey(name="k", key_id="k", secret="s", account=1, permissions=frozenset(permissions))
    if allowed:
        require_access(key, access)
        return
    with pytest.raises(Refused) as refusal:
        require_access(key, access)
    assert refusal.value.status == 403


def test_private_request_without_a_key() -> None:
    """Nobody in particular may read public tables only."""
    require_access(None, Access.PUBLIC)
    with pytest.raises(Refused) as refusal:
        require_access(None, Access.READ)
    assert refusal.value.status == 401


@pytest.mark.parametrize(
    ("verb", "expires", "body", "digest"),
    [
        ("GET", "1518064236", b"", "05b241833763473e08eff9bc87f8850ae402c50daeccc7f3afdc998b4e937122"),
        (
            "POST",
            "1518064238",
            b'{"symbol":"XBTUSD"}',
            "37a90d9a89f8dc9d6e2edf88dc8609e8ee7810b9e3f42e66d2d41f83ab64b01e",
        ),
    ],
)
def test_signature_matches_the_vectors_of_the_official_command_line(
    verb: str, expires: str, body: bytes, digest: str
) -> None:
    """The vectors in BitMEX/bitmex-cli come out, too."""
    assert signature("secret", verb=verb, path="/api/v1/order", expires=expires, body=body) == digest


def refusal_of(ring: Keyring, address: str | None = None) -> tuple[int, str] | None:
    """Return how a correct claim is refused, None if it is not."""
    try:
        ring.verify(claim(), verb="GET", paths=["/api/v1/order"], body=b"", now_ms=NOW_MS, address=address)
    except Refused as refusal:
        return refusal.status, refusal.message
    return None


def test_a_key_lives_through_what_may_happen_to_it() -> None:
    """Disabled, enabled, restricted, removed: each takes effect on the next request."""
    ring = keyring()
    key = ring.get(PUBLISHED_KEY)
    assert key is not None
    ring.put(replace(key, is_enabled=False))
    assert refusal_of(ring) == (401, "This key is disabled.")
    ring.put(key)
    assert refusal_of(ring) is None
    assert ring.remove(PUBLISHED_KEY)
    assert not ring.remove(PUBLISHED_KEY)
    assert refusal_of(ring) == (401, "Invalid API Key.")
    ring.put(key)
    assert (refusal_of(ring), ring.all()) == (None, [key])


@pytest.mark.parametrize(
    ("cidrs", "address", "is_allowed"),
    [
        ((), "127.0.0.1", True),
        (("0.0.0.0/0",), "127.0.0.1", True),
        (("203.0.113.7/32", "127.0.0.0/8"), "127.0.0.1", True),
        (("203.0.113.7/32", "10.0.0.0/8"), "127.0.0.1", False),
        (("203.0.113.7",), "203.0.113.7", True),
        (("::1/128",), "127.0.0.1", False),
        (("127.0.0.0/8",), "unknown", False),
    ],
)
def test_a_key_may_be_bound_to_networks(cidrs: tuple[str, ...], address: str, is_allowed: bool) -> None:
    """Several networks make one allow-list; what is outside it is refused with 403."""
    ring = keyring()
    ring.put(replace(ring.all()[0], cidrs=cidrs))
    refused = None if is_allowed else (403, "This IP address is not allowed to use this key.")
    assert refusal_of(ring, address) == refused


def test_an_allow_list_holds_networks_only() -> None:
    """A typo is an error where it is made, not at the next request."""
    ring = keyring()
    with pytest.raises(ValueError, match="does not appear"):
        ring.put(replace(ring.all()[0], cidrs=("everywhere",)))
