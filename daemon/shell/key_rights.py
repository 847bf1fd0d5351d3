"""Whether a key may be used for guarding (P11): judged at the start, and by `seawall check`."""

from __future__ import annotations

from config.model import Settings
from connectors.ports import KeyRights


class KeyRefused(Exception):
    """The key is wrong, or has rights that it must not have or lacks rights that it needs."""


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
