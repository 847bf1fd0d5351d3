"""The keyring follows what happens to accounts and keys, however it comes back."""

from __future__ import annotations

from dataclasses import replace

from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.inputs import Input, OpenAccount, PassTime, Scripted, SetKey
from connectors.simulated.server import keys
from connectors.simulated.server.auth import Keyring, Permission, derive_keys

ACCOUNT, SEED = 100_001, 7
MADE = SetKey(account=ACCOUNT, key_id="k", secret="s", permissions=("orderCancel",), cidrs=("10.0.0.0/8",))


def followed(*inputs: Input) -> Keyring:
    """A keyring after some inputs."""
    keyring = Keyring([])
    for value in inputs:
        keys.follow(keyring, value, seed=SEED)
    return keyring


def test_an_account_brings_its_keys() -> None:
    """The same seed gives the same keys; other inputs give none."""
    keyring = followed(OpenAccount(account=ACCOUNT, balances={}), PassTime())
    assert keyring.of_account(ACCOUNT) == derive_keys(SEED, ACCOUNT)


def test_a_key_is_made_changed_and_removed() -> None:
    """Each as its input says, inside a scenario too."""
    made = followed(Scripted(number=1, input=MADE)).get("k")
    assert made is not None
    assert (made.permissions, made.cidrs, made.is_enabled) == ({Permission.ORDER_CANCEL}, ("10.0.0.0/8",), True)
    barred = followed(MADE, keys.as_input(replace(made, is_enabled=False))).get("k")
    assert barred == replace(made, is_enabled=False)
    assert followed(MADE, keys.as_input(made, is_removed=True)).get("k") is None


def test_a_loaded_engine_fills_an_empty_keyring() -> None:
    """Accounts with their own keys, and what was changed by hand over them."""
    exchange = Exchange()
    own = derive_keys(SEED, ACCOUNT)[0]
    for value in (OpenAccount(account=ACCOUNT, balances={}), MADE, keys.as_input(own, is_removed=True)):
        exchange.apply(value, at_ms=0)
    keyring = Keyring([])
    keys.fill(keyring, Exchange.load(exchange.save()), seed=SEED)
    assert keyring.get("k") is not None
    assert keyring.get(own.key_id) is None
    assert len(keyring.of_account(ACCOUNT)) == len(derive_keys(SEED, ACCOUNT))
