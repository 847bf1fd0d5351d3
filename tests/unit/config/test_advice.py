"""What in a policy cannot come to pass is said before it matters."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import config
from config.advice import advice_on
from config.load import load_settings

NOW_NS = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()) * 10**9
PROFILES = sorted((Path(config.__file__).parent / "profiles").glob("*.toml"))


def said(folder: Path, text: str) -> tuple[str, ...]:
    """The advice on a settings file with these lines."""
    file = folder / "seawall.toml"
    file.write_text('[venue]\nenvironment = "testnet"\n' + text)
    return advice_on(load_settings(file).policy, now_ns=NOW_NS)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_no_profile_needs_advice(profile: Path) -> None:
    """What is offered for copying does what it says: no tier's deed lies behind the stop, no limit undoes another."""
    assert advice_on(load_settings(profile).policy, now_ns=NOW_NS) == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[ladder]\nemergency = ["alert", "trim"]', "ladder.emergency: trim would come at 0.75 %"),
        ('[stop]\nbuffer_percent = 6\n[ladder]\nwatch = ["tighten"]', "ladder.watch: tighten"),
        ('[guard]\nobserve = true\n[ladder]\nwatch = ["flatten"]', "never done: ladder.watch"),
        ('[guard]\nobserve = true\n[account.daily_loss]\naction = "freeze"', "never done: account.daily_loss.action"),
        ('[guard]\nobserve = true\n[take_profit]\nmode = "on"', "never done: take_profit"),
        ('[stop]\nstyle = "close"\n[take_profit]\nmode = "on"', 'stop.style = "close"'),
        ('[stop.max_loss]\nmode = "on"\nequity_percent = 12', "account.daily_loss.equity_percent = 10 is below"),
        ('[stop.fixed]\nmode = "off"\nlong = { XBTUSD = 60000 }', "stop.fixed holds prices"),
        ('[account.quiet_hours]\nmode = "off"\nevents_utc = ["2027-01-01T00:00:00Z"]', "holds events"),
        ('[account.quiet_hours]\nevents_utc = ["2026-11-21T19:00:00Z"]', "events_utc: every event is past"),
        ("[control]\nenabled = true\n[bots.a]", "bots.a.id_prefix is empty: every order"),
        ('[bots.a]\nid_prefix = "a"\nheartbeat = "orders"\nsymbols = ["XBTUSD"]', "bots.a.symbols has no effect"),
        (
            (
                '[bots.a]\nid_prefix = "a"\nheartbeat = "orders"\non_silence = "cancel_and_flatten"\n'
                '[bots.b]\nid_prefix = "b"\nheartbeat = "orders"'
            ),
            "bots.a.symbols is empty: its silence closes every position",
        ),
        (
            '[switch]\nmode = "off"\n[bots.a]\nid_prefix = "a"\nheartbeat = "orders"\nmust_be_alive = true',
            "bots.a.must_be_alive has no effect",
        ),
        (
            '[switch]\nmode = "always"\n[bots.a]\nid_prefix = "a"\nheartbeat = "orders"\nmust_be_alive = true',
            "lets the countdown run out",
        ),
    ],
)
def test_what_never_comes_to_pass_is_named_with_its_key(tmp_path: Path, text: str, named: str) -> None:
    """One line for each, with the key to change."""
    (line,) = said(tmp_path, text)
    assert named in line


@pytest.mark.parametrize(
    "text",
    [
        '[ladder]\nmode = "off"\nemergency = ["trim"]',
        '[ladder]\nwarn = ["trim"]',
        '[guard]\nobserve = true\n[ladder]\nmode = "off"\nwatch = ["flatten"]',
        '[ladder]\nemergency = ["flatten"]',
        '[ladder]\nemergency = ["trim"]\n[tiers]\nemergency_volatility = 3',
        '[account.quiet_hours]\nevents_utc = ["2026-11-21T19:00:00Z", "2026-12-16T19:00:00Z"]',
        '[account.quiet_hours]\nevents_utc = ["2026-11-21T23:45:00Z"]',
    ],
)
def test_what_may_come_to_pass_is_left_alone(tmp_path: Path, text: str) -> None:
    """Only what is certain is said."""
    assert said(tmp_path, text) == ()
