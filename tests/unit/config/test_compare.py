"""What two settings differ in, and that nothing secret is among it."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from config.compare import changes, shown, values
from config.load import load_settings
from config.model import AlertSettings, CredentialSources, Settings
from config.policy import BotPolicy, Heartbeat, Policy, StopPolicy
from config.venue import Environment, venue_settings

PROFILES = Path(__file__).resolve().parents[3] / "config" / "profiles"


def settings(**parts: object) -> Settings:
    """Settings of the testnet."""
    return Settings(venue=venue_settings(Environment.TESTNET), **parts)  # type: ignore[arg-type]


def test_the_same_settings_differ_in_nothing() -> None:
    """An unchanged file."""
    assert changes(settings(), settings()) == ()


def test_each_difference_is_one_line_with_both_values() -> None:
    """Numbers, names, flags, tables that only one side has."""
    other = settings(
        policy=Policy(
            observe=True,
            stop=StopPolicy(buffer_percent=Decimal("2.50")),
            bots={"maker": BotPolicy(id_prefix="mm-", heartbeat=Heartbeat.ORDERS)},
        ),
        credentials=CredentialSources(key_file="/k"),
    )
    told = [str(each) for each in changes(settings(), other)]
    assert "guard.observe: false -> true" in told
    assert "stop.buffer_percent: 2 -> 2.50" in told
    assert 'bots.maker.id_prefix: left out -> "mm-"' in told
    assert 'credentials.key_file: left out -> "/k"' in told


def test_a_number_written_otherwise_is_the_same_number() -> None:
    """2 and 2.0 are no difference."""
    assert changes(Policy(), Policy(stop=StopPolicy(buffer_percent=Decimal("2.0")))) == ()


@pytest.mark.parametrize(
    ("place", "value", "text"),
    [
        ("alerts.webhook_url", "https://hooks.example.org/T0/B0/secret", '"https://hooks.example.org/(hidden)"'),
        ("alerts.webhook_url", "https://user:pass@example.org:8443/x", '"https://example.org:8443/(hidden)"'),
        ("alerts.channels.phone.url", "tgram://123456:token/42", '"tgram://(hidden)"'),
        ("alerts.channels.phone.url", "http://[broken", '"http://(hidden)"'),
        ("credentials.secret_command", ("pass", "show", "seawall"), '["pass", "(hidden)"]'),
        ("venue.rest_url", "http://127.0.0.1:8800", '"http://127.0.0.1:8800"'),
        ("stop.buffer_percent", Decimal("1E+1"), "10"),
        ("account.quiet_hours.events_utc", (), "[]"),
        ("stop.fixed.long", {"XBTUSD": Decimal(5)}, "{ XBTUSD = 5 }"),
    ],
)
def test_values_are_shown_as_a_file_writes_them_and_addresses_without_their_tokens(
    place: str, value: object, text: str
) -> None:
    """P11: whoever reads a difference or `config show` over somebody's shoulder learns no token."""
    assert shown(place, value) == text


@pytest.mark.parametrize("profile", sorted(PROFILES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_value_of_a_profile_has_its_place(profile: Path) -> None:
    """The places are those of the file: what the venue's own defaults are is none of them."""
    found = values(load_settings(profile))
    assert {"stop.buffer_percent", "guard.observe", "state.directory", "venue.environment"} <= found.keys()
    assert not [place for place in found if place.startswith(("policy.", "venue.connect"))]


def test_a_change_of_the_venue_is_seen() -> None:
    """Another exchange is another address too."""
    other = replace(settings(), venue=venue_settings(Environment.PRODUCTION))
    assert next(each.place for each in changes(settings(), other)) == "venue.environment"


def test_what_is_shown_can_be_read_again_whatever_it_holds() -> None:
    """Quotes, backslashes and blanks in texts and names: TOML that means the same."""
    for value in ('a"b', "a\\b", "it's", "\u00e9\u20ac", ""):
        assert tomllib.loads(f"value = {shown('state.directory', value)}") == {"value": value}
    prices = {"a b": Decimal(5), 'q"q': Decimal("0.5"), "XBTUSD": Decimal(1)}
    assert tomllib.loads(f"value = {shown('stop.fixed.long', prices)}", parse_float=Decimal) == {"value": prices}


def test_what_differs_in_its_hidden_part_alone_is_told_as_another() -> None:
    """P11: a token was exchanged; nobody reads that an address became itself."""
    one, other = (settings(alerts=AlertSettings(webhook_url=f"https://example.org/{word}")) for word in "ab")
    (change,) = changes(one, other)
    assert str(change) == (
        'alerts.webhook_url: "https://example.org/(hidden)" -> "https://example.org/(hidden)" (another)'
    )
