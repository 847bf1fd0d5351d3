"""Request signing: who sent a request, and what the key may do.

Why: a guard whose signing is wrong must fail here exactly as it would at the venue. The message
is verb + path with query as sent + expiry + raw body; the WebSocket signs `GET/realtime` and the
expiry only. There is no upper bound on the expiry: clients send milliseconds or next year.

Units: `expires` is UNIX seconds, `now_ms` milliseconds. Source: www.bitmex.com/app/apiKeysUsage.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from connectors.simulated.engine.refusals import Refused

REALTIME_PATH = "/realtime"
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_MS_PER_S = 1_000
_KEY_ID_CHARS = 24
_SECRET_CHARS = 48
_LONGEST_EXPIRES = 20  # digits; more cannot be a time


class Permission(Enum):
    """What a key may do beyond reading; the values are the venue's names."""

    ORDER = "order"
    ORDER_CANCEL = "orderCancel"
    WITHDRAW = "withdraw"


class Access(Enum):
    """What a request asks of the key that signs it."""

    PUBLIC = "public"  # no key needed
    READ = "read"  # any key
    CANCEL = "cancel"  # `order` or `orderCancel`
    ORDER = "order"  # `order`


_ENOUGH = {
    Access.CANCEL: frozenset({Permission.ORDER, Permission.ORDER_CANCEL}),
    Access.ORDER: frozenset({Permission.ORDER}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """One API key of one account.

    Attributes:
        name: What the owner calls it.
        key_id: Sent with every request.
        secret: Never sent; signs.
        account: Owner.
        permissions: What it may do beyond reading.
    """

    name: str
    key_id: str
    secret: str = field(repr=False)
    account: int
    permissions: frozenset[Permission]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The three headers (or query fields) that a signed request carries, as sent."""

    key_id: str
    expires: str
    signature: str


_KINDS = (
    ("trading", frozenset({Permission.ORDER})),
    ("read-only", frozenset[Permission]()),
    ("cancel-only", frozenset({Permission.ORDER_CANCEL})),
    ("withdrawing", frozenset({Permission.ORDER, Permission.WITHDRAW})),
)


def derive_keys(seed: int, account: int) -> list[ApiKey]:
    """Return the account's keys, the trading key first; the same seed gives the same keys."""
    return [
        ApiKey(
            name=name,
            key_id=_derived(seed, f"{account}/{name}/id")[:_KEY_ID_CHARS],
            secret=_derived(seed, f"{account}/{name}/secret")[:_SECRET_CHARS],
            account=account,
            permissions=permissions,
        )
        for name, permissions in _KINDS
    ]


def _derived(seed: int, purpose: str) -> str:
    digest = hashlib.sha512(f"embedded exchange/{seed}/{purpose}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().replace("-", "x").replace("_", "y")


def signature(secret: str, *, verb: str, path: str, expires: str, body: bytes = b"") -> str:
    """Return the lower-case hex HMAC-SHA256 of a request.

    Args:
        secret: The key's secret.
        verb: In capitals.
        path: From `/api/v1` (or `/realtime`) on, query included exactly as sent.
        expires: The digits of `api-expires`.
        body: The exact bytes sent.
    """
    message = f"{verb}{path}{expires}".encode() + body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class Keyring:
    """All keys of the exchange, and the check of a claim against them."""

    def __init__(self, keys: Iterable[ApiKey], *, expired_status: int = _UNAUTHORIZED) -> None:
        self._by_id = {key.key_id: key for key in keys}
        self._expired_status = expired_status

    def of_account(self, account: int) -> list[ApiKey]:
        """Return the keys of one account, the trading key first."""
        return [key for key in self._by_id.values() if key.account == account]

    def verify(self, claim: Claim, *, verb: str, paths: Sequence[str], body: bytes, now_ms: int) -> ApiKey:
        """Return the key that made the claim.

        Args:
            claim: What the request carries.
            verb: In capitals.
            paths: Forms of the path that count as what was sent, at least one.
            body: The exact bytes received.
            now_ms: Time of arrival.

        Raises:
            Refused: With the venue's text: expired, unknown key, wrong signature.
        """
        self._require_unexpired(claim.expires, now_ms)
        key = self._by_id.get(claim.key_id)
        if key is None:
            raise Refused("Invalid API Key.", status=_UNAUTHORIZED)
        wanted = [signature(key.secret, verb=verb, path=path, expires=claim.expires, body=body) for path in paths]
        given = claim.signature.encode()
        if not any([hmac.compare_digest(one.encode(), given) for one in wanted]):  # noqa: C419 - no early end
            raise Refused("Signature not valid.", status=_UNAUTHORIZED)
        return key

    def _require_unexpired(self, expires: str, now_ms: int) -> None:
        digits = expires.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_EXPIRES):
            raise Refused("Signature not valid.", status=_UNAUTHORIZED)
        now_s = now_ms // _MS_PER_S
        if int(expires) < now_s:
            text = f"This request has expired - `expires` is in the past. Current time: {now_s}"
            raise Refused(text, status=self._expired_status)


def require_access(key: ApiKey | None, access: Access) -> None:
    """Return if the key may do this.

    Raises:
        Refused: 401 without a key where one is needed, 403 if the key lacks the permission.
    """
    if access is Access.PUBLIC:
        return
    if key is None:
        raise Refused("Authorization Required", status=_UNAUTHORIZED)
    enough = _ENOUGH.get(access)
    if enough is not None and not (key.permissions & enough):
        raise Refused("Access Denied", status=_FORBIDDEN)
