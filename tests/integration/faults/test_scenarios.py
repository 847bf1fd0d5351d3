"""Scenario files played by a running exchange: what they do happens, once, at its time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from connectors.simulated.server.embedded import EmbeddedExchange
from connectors.simulated.server.settings import ExchangeSettings, RateLimits
from connectors.simulated.tape.scenario_file import ScenarioTape, examples, scenario_tape
from connectors.simulated.tape.tape import Step

STORY = """
title = "A short story"
start = 2026-07-01T00:00:00Z
speed = "max"

[price]
points = [["0m", 60000], ["2m", 60000], ["4m", 57000], ["6m", 58000]]

[[account]]
name = "long"
balances = { XBt = 250000000 }

[[account.key]]
key = "my-own-key"
secret = "my-own-secret"
permissions = ["orderCancel"]

[[account.position]]
symbol = "XBTUSD"
quantity = 10000
price = 60000

[[account]]
name = "short"

[[order]]
account = "long"
symbol = "XBTUSD"
side = "Sell"
stop_price = 58000
instructions = ["Close"]

[[order]]
at = "1m"
account = "short"
symbol = "XBTUSD"
quantity = 150

[[fault]]
name = "overload"
at = "1m"
until = "3m"

[[fault]]
name = "switch-fired"
at = "5m"

[[deposit]]
at = "2m"
account = "short"
currency = "XBt"
amount = 77

[[announcement]]
at = "3m"
title = "News"

[[expect]]
at = "2m"
account = "long"
quantity = 10000
open_orders = 1

[[expect]]
at = "5m"
account = "long"
quantity = 0
open_orders = 3
"""

WAY = """
[[path]]
symbol = "SOLUSDC"
points = [["0m", 100], ["5m", 90]]
"""


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """The story as a file."""
    path = tmp_path / "story.toml"
    path.write_text(STORY)
    return path


def with_more(story: Path, text: str) -> Path:
    """The story with something at its end."""
    story.write_text(story.read_text() + text)
    return story


def settings(story: Path | str, **others: Any) -> ExchangeSettings:
    """Settings that stand still until a test lets the tape go on."""
    return ExchangeSettings(
        **{"scenario": str(story), "start_paused": True, "limits": RateLimits(is_on=False)} | others
    )


def minutes(exchange: EmbeddedExchange) -> Iterator[int]:
    """Play a step at a time; yield the whole minute reached."""
    start = 1_782_864_000_000
    while exchange.player.advance(1):
        yield ((exchange.venue.tape_ms or start) - start) // 60_000


def play_until(exchange: EmbeddedExchange, minute: int) -> None:
    """Play to a minute of the story."""
    assert any(now >= minute for now in minutes(exchange))


async def test_the_story_happens(story: Path) -> None:
    """Accounts, keys, positions, orders, faults, money, news and expectations, each at its time."""
    async with EmbeddedExchange(settings(story)) as exchange:
        venue, (long, short) = exchange.venue, exchange.venue.accounts
        assert [row["amount"] for row in venue.exchange.wallet_rows(long)] == [250_000_000]
        assert venue.keyring.get("my-own-key") is not None
        assert venue.exchange.position_rows(long)[0]["currentQty"] == 10_000
        assert not venue.exchange.faults().active
        play_until(exchange, 2)
        assert [one.fault.name for one in venue.exchange.faults().active.values()] == ["overload"]
        assert next(row["amount"] for row in venue.exchange.wallet_rows(short)) == 100_000_077
        play_until(exchange, 6)
        assert not venue.exchange.faults().active
        assert venue.exchange.announcement_rows()[0]["title"] == "News"
        state = exchange.player.script.state()
        assert state["done"] == state["of"] == 11
        assert state["refused"] == ["PlaceOrder: Order quantity must be a multiple of lot size: 100"]
        assert state["expectations"] == {
            "met": 1,
            "unmet": [f"account {long} XBTUSD: open_orders is 0, not 3"],
        }
        assert venue.exchange.money_is_conserved()


async def test_two_plays_give_the_same_bytes(story: Path) -> None:
    """Faults with chances included, the same seed gives the same state."""

    async def played(seed: int) -> bytes:
        frozen = lambda: 1_782_864_000_000  # noqa: E731 - a clock that stands still
        async with EmbeddedExchange(settings(story, seed=seed), clock=frozen) as exchange:
            exchange.player.advance(10_000)
            return exchange.venue.exchange.save()

    assert await played(1) == await played(1) != await played(2)


@pytest.mark.parametrize("minute", [0, 2, 4])
async def test_after_a_kill_the_rest_happens_once(story: Path, tmp_path: Path, minute: int) -> None:
    """A journal that ends anywhere leads to the same end: nothing is left out, nothing comes twice."""
    async with EmbeddedExchange(settings(story)) as exchange:
        exchange.player.advance(10_000)
        whole = _outcome(exchange)
    state = tmp_path / "state"
    async with EmbeddedExchange(settings(story, state_dir=state)) as exchange:
        play_until(exchange, minute)
    journal = state / "inputs.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))  # killed before the last record
    async with EmbeddedExchange(settings(story, state_dir=state)) as exchange:
        exchange.player.advance(10_000)
        assert _outcome(exchange) == whole


def _outcome(exchange: EmbeddedExchange) -> object:
    engine = exchange.venue.exchange
    return [
        [
            ([row["currentQty"] for row in engine.position_rows(account)], len(engine.order_rows(account)))
            for account in engine.accounts()
        ],
        [row["amount"] for account in engine.accounts() for row in engine.wallet_rows(account)],
        engine.script_position(),
        len(engine.announcement_rows()),
    ]


class Thinned(ScenarioTape):
    """A scenario of which only some steps are played, and all of the script."""

    def steps(self, start: int = 0) -> Iterator[Step]:
        """Yield every twentieth step."""
        return islice(super().steps(start), 0, None, 20)


@pytest.mark.parametrize("name", sorted(examples()))
async def test_an_example_plays_to_its_end(name: str) -> None:
    """Nothing in it is refused, what it expects is so, and money is conserved."""
    whole = scenario_tape(name, seed=1, speed="max")
    thinned = Thinned(**{field.name: getattr(whole, field.name) for field in fields(whole)})
    async with EmbeddedExchange(settings(name), tape=thinned) as exchange:
        exchange.player.advance(100_000)
        state = exchange.player.script.state()
        assert state["done"] == state["of"]
        assert state["refused"] == []
        assert state["expectations"] == {"met": int(name == "wind-down"), "unmet": []}
        if name == "wind-down":
            states = {row["state"] for row in exchange.venue.exchange.instrument_rows() if row["typ"][:2] == "FF"}
            assert "Open" not in states
        assert exchange.venue.exchange.money_is_conserved()


async def test_more_accounts_than_the_file_names(story: Path) -> None:
    """The file's accounts come first; those asked for beside them have the usual balances."""
    async with EmbeddedExchange(settings(story, accounts=3)) as exchange:
        amounts = [exchange.venue.exchange.wallet_rows(one)[0]["amount"] for one in exchange.venue.accounts]
        assert amounts == [250_000_000, 100_000_000, 100_000_000]


async def test_a_way_of_a_contract_that_is_not_listed_is_told(story: Path) -> None:
    """A slip in a symbol shows in the state of the script instead of being passed over in silence."""
    async with EmbeddedExchange(settings(with_more(story, WAY))) as exchange:
        assert exchange.player.script.state()["refused"] == ["path: SOLUSDC is not listed"]
