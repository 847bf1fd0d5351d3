"""The part of the control API that builds a state: accounts, money, keys, positions.

Why: a test wants an account with two XBT, a short position and a key that may only cancel, in three
requests, without trading its way there.

    GET    /accounts                                 with balances and keys
    POST   /accounts {"balances": {"XBt": 100000000}}
    POST   /accounts/deposit {"account": 100001, "currency": "XBt", "amount": -5000}
    POST   /positions {"account": 100001, "symbol": "XBTUSD", "quantity": -1000, "price": 60000}
    POST   /keys {"account": 100001, "permissions": ["order"], "cidrs": [], "enabled": true, "key": "", "secret": ""}
    DELETE /keys?key=

A key that exists is changed; what is not given stays as it was.

Units: balances and amounts in minor units, quantities in contracts, signed.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import count

from msgspec.structs import replace

from connectors.simulated.engine.inputs import Deposit, OpenAccount, SetKey, SetPosition
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.auth import ApiKey
from connectors.simulated.server.keys import as_input
from connectors.simulated.server.params import Params
from connectors.simulated.server.venue import FIRST_ACCOUNT, Venue

_KEY_CHARS, _SECRET_CHARS = 24, 48


class AccountControl:
    """The handlers."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def show(self, _params: Params) -> object:
        """Return all accounts."""
        return [self._account(number) for number in self._venue.exchange.accounts()]

    def open(self, params: Params) -> object:
        """Open an account with balances; its number is the next unless given."""
        number = params.whole("account")
        if number is None:
            number = max(self._venue.exchange.accounts(), default=FIRST_ACCOUNT - 1) + 1
        given = params.fields().get("balances", dict(self._venue.settings.balances))
        if not isinstance(given, dict):
            raise Refused("Invalid balances: whole minor units by currency")
        self._venue.submit(OpenAccount(account=number, balances={name: _whole(one) for name, one in given.items()}))
        return self._account(number)

    def deposit(self, params: Params) -> object:
        """Put money on an account or take it off."""
        account = params.required_whole("account")
        currency, amount = params.required_text("currency"), params.required_whole("amount")
        self._venue.submit(Deposit(account=account, currency=currency, amount=amount))
        return self._account(account)

    def set_position(self, params: Params) -> object:
        """Let an account hold this many contracts."""
        account, symbol = params.required_whole("account"), params.required_text("symbol").upper()
        value = SetPosition(
            account=account, symbol=symbol, quantity=params.required_whole("quantity"), price=params.decimal("price")
        )
        self._venue.submit(value)
        return next(row for row in self._venue.exchange.position_rows(account) if row["symbol"] == symbol)

    def keys(self, _params: Params) -> object:
        """Return all keys, with their secrets: whoever reaches this port owns the exchange."""
        return [_key(one) for one in self._venue.keyring.all()]

    def set_key(self, params: Params) -> object:
        """Make a key, or change the one that is named."""
        known = self._venue.keyring.get(params.text("key") or "")
        before = self._new_key(params) if known is None else as_input(known)
        permissions = tuple(params.names("permissions")) if params.has("permissions") else before.permissions
        cidrs = tuple(params.names("cidrs")) if params.has("cidrs") else before.cidrs
        value = replace(
            before,
            name=params.text("name") or before.name,
            permissions=permissions,
            cidrs=cidrs,
            is_enabled=params.flag("enabled", default=before.is_enabled),
        )
        self._venue.submit(value)
        if not value.is_enabled:
            self._venue.hub.expire_key(value.key_id)
        return _key(self._required(value.key_id))

    def remove_key(self, params: Params) -> object:
        """Forget a key; its sessions go blind."""
        key = self._required(params.required_text("key"))
        self._venue.submit(as_input(key, is_removed=True))
        self._venue.hub.expire_key(key.key_id)
        return {"removed": key.key_id}

    def _new_key(self, params: Params) -> SetKey:
        account = params.required_whole("account")
        drawn = (blake2b(f"key/{self._venue.settings.seed}/{account}/{n}".encode()).hexdigest() for n in count())
        given = {one.key_id for one in self._venue.exchange.changed_keys()}  # removed ones as well
        digest = next(one for one in drawn if one[:_KEY_CHARS] not in given)
        return SetKey(
            account=account,
            key_id=params.text("key") or digest[:_KEY_CHARS],
            secret=params.text("secret") or digest[-_SECRET_CHARS:],
        )

    def _required(self, key_id: str) -> ApiKey:
        found = self._venue.keyring.get(key_id)
        if found is None:
            raise Refused(f"no key {key_id!r}; GET /keys shows all", status=404)
        return found

    def _account(self, number: int) -> dict[str, object]:
        return {
            "account": number,
            "balances": {row["currency"]: row["amount"] for row in self._venue.exchange.wallet_rows(number)},
            "keys": [_key(one) for one in self._venue.keyring.of_account(number)],
        }


def _key(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "account": key.account,
        "key": key.key_id,
        "secret": key.secret,
        "permissions": sorted(one.value for one in key.permissions),
        "cidrs": key.cidrs,
        "enabled": key.is_enabled,
    }


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused("Invalid balances: whole minor units by currency")
    return value
