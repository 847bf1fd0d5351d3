"""Keys as inputs change them: what an account begins with, and what is done to it by hand.

Why: the keyring stands beside the engine, yet has to be the same after a restart; so it follows the
inputs that make accounts and keys, however they come back.
"""

from __future__ import annotations

from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.inputs import Input, OpenAccount, Scripted, SetKey
from connectors.simulated.server.auth import ApiKey, Keyring, Permission, derive_keys


def follow(keyring: Keyring, value: Input, *, seed: int) -> None:
    """Let the keyring follow an input that the engine has taken."""
    match value:
        case OpenAccount():
            for key in derive_keys(seed, value.account):
                keyring.put(key)
        case SetKey():
            _follow_key(keyring, value)
        case Scripted():
            follow(keyring, value.input, seed=seed)
        case _:
            pass


def fill(keyring: Keyring, exchange: Exchange, *, seed: int) -> None:
    """Bring the keyring to the state of an engine that was loaded."""
    for account in exchange.accounts():
        follow(keyring, OpenAccount(account=account, balances={}), seed=seed)
    for key in exchange.changed_keys():
        _follow_key(keyring, key)


def as_input(key: ApiKey, *, is_removed: bool = False) -> SetKey:
    """Return the input that makes a key as it is here."""
    return SetKey(
        account=key.account,
        key_id=key.key_id,
        secret=key.secret,
        name=key.name,
        permissions=tuple(sorted(one.value for one in key.permissions)),
        cidrs=key.cidrs,
        is_enabled=key.is_enabled,
        is_removed=is_removed,
    )


def _follow_key(keyring: Keyring, value: SetKey) -> None:
    if value.is_removed:
        keyring.remove(value.key_id)
        return
    key = ApiKey(
        name=value.name,
        key_id=value.key_id,
        secret=value.secret,
        account=value.account,
        permissions=frozenset(Permission(one) for one in value.permissions),
        cidrs=value.cidrs,
        is_enabled=value.is_enabled,
    )
    keyring.put(key)
