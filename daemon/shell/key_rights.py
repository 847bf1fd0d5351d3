"""Whether a key may be used for guarding (P11): judged at the start, and by `seawall check`."""

from __future__ import annotations

import re
from typing import Final

from config.model import Settings
from connectors.ports import KeyRights

_REMEDIES: Final = (
    (r"\bip\b", "is this machine's address on the key's allow-list?"),
    ("signature", "is the secret the one that was made with this key?"),
    (
        "invalid api key",
        "was it copied whole, and made where it is used? Testnet and production have keys of their own",
    ),
    ("disabled", "enable it on the exchange's page of keys, or make another"),
)
"""What a refusal says, and what to look at. The first one counts."""


class KeyRefused(Exception):
    """The key is wrong, or has rights that it must not have or lacks rights that it needs."""


def refusal_in_words(reason: str) -> str:
    """Say that the exchange refuses a key, why, and what to look at.

    Example:
        >>> refusal_in_words("Signature not valid.")
        'the exchange refuses this API key: Signature not valid: is the secret the one that was made with this key?'
    """
    remedy = next((words for sign, words in _REMEDIES if re.search(sign, reason.lower())), "")
    why = f"{reason.rstrip('.')}: {remedy}" if remedy else reason
    return f"the exchange refuses this API key: {why}"


def objection(rights: KeyRights, settings: Settings) -> str | None:
    """Return why a key with these rights is not used, and what to do; None if it may be used."""
    if rights.can_withdraw:
        return "this API key may withdraw money, and a guard must not hold such a key: make one without that right"
    if not rights.is_readable:
        if settings.accept_unreadable_rights:
            return None
        return (
            "the exchange does not say what this API key may do: make sure that it cannot withdraw, then set "
            "guard.accept_unreadable_rights = true"
        )
    if not rights.can_order and not settings.policy.observe:
        return "this API key may not place orders: give it the right to order, or run with --observe"
    return None
