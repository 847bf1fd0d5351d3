"""API keys as a key sees them: it may list them, and may not make or change any.

Source: www.bitmex.com/api/explorer, APIKey ("API Keys can only be created via the frontend").
"""

from __future__ import annotations

from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.rest.call import Answer, Call

_CREATED = "2020-01-01T00:00:00.000Z"
_ANYWHERE = "0.0.0.0/0"  # a network, nothing listens there


def get_keys(call: Call) -> Answer:
    """`GET /apiKey`: the account's keys, without their secrets."""
    rows = [_row(key) for key in call.venue.keyring.of_account(call.account)]
    return rows[::-1] if call.params.flag("reverse", default=False) else rows


def get_own_key(call: Call) -> Answer:
    """`GET /apiKey/self`: the key of this request."""
    if call.key is None:
        raise RuntimeError("a route that reads the key was declared public")
    return _row(call.key)


def only_for_people(_call: Call) -> Answer:
    """Keys are made, removed, disabled and enabled on the web page; the door refuses every key here."""
    raise RuntimeError("a key got through to what is for people only")


def _row(key: ApiKey) -> dict[str, object]:
    cidrs = list(key.cidrs) or [_ANYWHERE]
    return {
        "id": key.key_id,
        "secret": None,
        "name": key.name,
        "nonce": 0,
        "cidr": cidrs[0],
        "cidrs": cidrs,
        "targetAccountId": key.account,
        "permissions": sorted(permission.value for permission in key.permissions),
        "enabled": key.is_enabled,
        "userId": key.account,
        "created": _CREATED,
    }
