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
from ipaddress import ip_address, ip_network

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
    WITHDRAW = "withdraw"  # `withdraw`
    SESSION = "session"  # a person signed in on the web page; no key is enough


_ENOUGH = {
    Access.CANCEL: frozenset({Permission.ORDER, Permission.ORDER_CANCEL}),
    Access.ORDER: frozenset({Permission.ORDER}),
    Access.WITHDRAW: frozenset({Permission.WITHDRAW}),
    Access.SESSION: frozenset[Permission](),
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
        cidrs: Networks it may be used from, such as `10.0.0.0/8`; none means anywhere.
        is_enabled: Whether it may be used at all.
    """

    name: str
    key_id: str
    secret: str = field(repr=False)
    account: int
    permissions: frozenset[Permission]
    cidrs: tuple[str, ...] = ()
    is_enabled: bool = True

    def is_usable_from(self, address: str) -> bool:
        """Return whether the allow-list holds this address; what is no address is nowhere."""
        if not self.cidrs:
            return True
        try:
            home = ip_address(address)
        except ValueError:
            return False
        return any(home in ip_network(cidr, strict=False) for cidr in self.cidrs)


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
    ("disabled", frozenset({Permission.ORDER})),
    ("elsewhere", frozenset({Permission.ORDER})),
)
_ELSEWHERE = ("198.51.100.0/24", "203.0.113.7/32")  # documentation networks: nobody comes from there


def derive_keys(seed: int, account: int) -> list[ApiKey]:
    """Return the account's keys, the trading key first; the same seed gives the same keys."""
    return [
        ApiKey(
            name=name,
            key_id=_derived(seed, f"{account}/{name}/id")[:_KEY_ID_CHARS],
            secret=_derived(seed, f"{account}/{name}/secret")[:_SECRET_CHARS],
            account=account,
            permissions=permissions,
            cidrs=_ELSEWHERE if name == "elsewhere" else (),
            is_enabled=name != "disabled",
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
    """All keys of the exchange, what may happen to them, and the check of a claim against them."""

    def __init__(self, keys: Iterable[ApiKey], *, expired_status: int = _UNAUTHORIZED) -> None:
        self._by_id = {key.key_id: key for key in keys}
        self._expired_status = expired_status

    def of_account(self, account: int) -> list[ApiKey]:
        """Return the keys of one account, the trading key first."""
        return [key for key in self._by_id.values() if key.account == account]

    def all(self) -> list[ApiKey]:
        """Return every key, in the order they came."""
        return list(self._by_id.values())

    def get(self, key_id: str) -> ApiKey | None:
        """Return a key as it is now, None if there is no such key."""
        return self._by_id.get(key_id)

    def put(self, key: ApiKey) -> None:
        """Add a key, or put it in the place of the one with its id.

        Raises:
            ValueError: If one of its networks is none.
        """
        for cidr in key.cidrs:
            ip_network(cidr, strict=False)
        self._by_id[key.key_id] = key

    def remove(self, key_id: str) -> bool:
        """Forget a key, so that requests it signs are `Invalid API Key.`; return whether it was there."""
        return self._by_id.pop(key_id, None) is not None

    def verify(
        self, claim: Claim, *, verb: str, paths: Sequence[str], body: bytes, now_ms: int, address: str | None = None
    ) -> ApiKey:
        """Return the key that made the claim.

        Args:
            claim: What the request carries.
            verb: In capitals.
            paths: Forms of the path that count as what was sent, at least one.
            body: The exact bytes received.
            now_ms: Time of arrival.
            address: Where it came from; None looks at no allow-list.

        Raises:
            Refused: With the venue's text: expired, unknown key, wrong signature, disabled, or from elsewhere.
        """
        self._require_unexpired(claim.expires, now_ms)
        key = self._by_id.get(claim.key_id)
        if key is None:
            raise Refused("Invalid API Key.", status=_UNAUTHORIZED)
        if not _is_signed(key.secret, claim, verb=verb, paths=paths, body=body):
            raise Refused("Signature not valid.", status=_UNAUTHORIZED)
        if not key.is_enabled:
            raise Refused("This key is disabled.", status=_UNAUTHORIZED)
        if address is not None and not key.is_usable_from(address):
            raise Refused("This IP address is not allowed to use this key.", status=_FORBIDDEN)
        return key

    def _require_unexpired(self, expires: str, now_ms: int) -> None:
        digits = expires.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_EXPIRES):
            raise Refused("Signature not valid.", status=_UNAUTHORIZED)
        now_s = now_ms // _MS_PER_S
        if int(expires) < now_s:
            text = f"This request has expired - `expires` is in the past. Current time: {now_s}"
            raise Refused(text, status=self._expired_status)


def _is_signed(secret: str, claim: Claim, *, verb: str, paths: Iterable[str], body: bytes) -> bool:
    given = claim.signature.encode(errors="replace")
    wanted = (signature(secret, verb=verb, path=path, expires=claim.expires, body=body) for path in paths)
    return any(hmac.compare_digest(one.encode(), given) for one in wanted)


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
