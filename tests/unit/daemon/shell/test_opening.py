"""Before the first order: whose account, which rights, and a venue that is away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.model import Settings
from config.policy import Policy
from config.venue import Environment, venue_settings
from connectors.errors import Misconfigured, Unavailable
from connectors.ports import KeyRights
from daemon.core.commands import RaiseAlert
from daemon.shell.key_rights import KeyRefused, objection
from daemon.shell.opening import TELL_PEOPLE_AFTER, Opening
from daemon.shell.watchdog import ServiceNotifier
from tests.fakes import ACCOUNT, FakeOrderEntry, FakeVenue, ManualClock

SETTINGS = Settings(venue=venue_settings(Environment.TESTNET))
OBSERVING = replace(SETTINGS, policy=Policy(observe=True))
GOOD = KeyRights(can_order=True, can_withdraw=False, is_readable=True, account=ACCOUNT)


def an_opening(venue: FakeVenue, told: list[RaiseAlert]) -> Opening:
    """An opening that does not wait long."""
    return Opening(
        orders=FakeOrderEntry(venue),
        settings=SETTINGS,
        clock=ManualClock(),
        notifier=ServiceNotifier(None),
        raise_alert=told.append,
        first_pause_s=0.0,
    )


@pytest.mark.parametrize(
    ("rights", "settings", "words"),
    [
        (GOOD, SETTINGS, None),
        (replace(GOOD, can_withdraw=True), SETTINGS, "may withdraw"),
        (replace(GOOD, can_withdraw=True), OBSERVING, "may withdraw"),
        (replace(GOOD, can_order=False), SETTINGS, "may not place orders"),
        (replace(GOOD, can_order=False), OBSERVING, None),
        (replace(GOOD, is_readable=False), SETTINGS, "accept_unreadable_rights"),
        (replace(GOOD, is_readable=False), replace(SETTINGS, accept_unreadable_rights=True), None),
    ],
)
def test_which_keys_are_used(rights: KeyRights, settings: Settings, words: str | None) -> None:
    """P11: never a key that may withdraw; unreadable rights are accepted by the operator or not at all."""
    refused = objection(rights, settings)
    assert refused is None if words is None else words in str(refused)


async def test_a_venue_that_is_away_is_waited_for_and_people_hear_once() -> None:
    """P12: several failed questions later people know that nothing is guarded yet; then the account is known."""
    venue, told = FakeVenue(), []
    venue.failures = [Unavailable("no connection") for _ in range(TELL_PEOPLE_AFTER + 3)]
    assert await an_opening(venue, told).wait_account() == ACCOUNT
    assert [alert.state for alert in told] == ["waiting_for_venue"]


async def test_a_wrong_key_is_not_tried_again() -> None:
    """Only a person can mend it."""
    venue, told = FakeVenue(), []
    venue.failures = [Misconfigured("Invalid API Key.")]
    with pytest.raises(KeyRefused, match="Invalid API Key"):
        await an_opening(venue, told).wait_account()
    assert len(venue.sent) == 1


async def test_the_account_is_read_from_a_picture_if_the_rights_do_not_say() -> None:
    """Rights that cannot be read name no account either."""
    venue, told = FakeVenue(), []
    venue.rights = replace(GOOD, account=None)
    assert await an_opening(venue, told).wait_account() == ACCOUNT
