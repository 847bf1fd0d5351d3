"""Listing and pricing everything while the exchange runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.inputs import SetPrices
from connectors.simulated.listing.opening import Catalogue, file_catalogue, venue_catalogue
from connectors.simulated.server.lister import Lister
from connectors.simulated.tape.scripted_path import Line
from connectors.simulated.tape.source import tape_of_scenario
from connectors.simulated.tape.tape import Step

STEPS = list(islice(tape_of_scenario("calm", seed=3).steps(), 12))


def at(text: str) -> int:
    """Return a time in protocol ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


class Floor:
    """An exchange and its lister, at a time of choice."""

    def __init__(
        self, day: str, catalogue: Catalogue | None = None, *, paths: Mapping[str, Line] | None = None
    ) -> None:
        self.exchange = Exchange(contracts=())
        self.lister = Lister(catalogue or venue_catalogue(), self.exchange, seed=3, paths=paths)
        self.play(STEPS[0], at(day))

    def play(self, step: Step, at_ms: int) -> set[str]:
        """Play one step and return the symbols that moved."""
        due = self.lister.due(at_ms)
        if due is not None:
            self.exchange.apply(due, at_ms=at_ms)
        prices = self.lister.prices(step, at_ms=at_ms)
        self.exchange.apply(SetPrices(tape_ms=step.tape_ms, prices=prices), at_ms=at_ms)
        return {one.symbol for one in prices}

    def state(self, symbol: str) -> object:
        """Return the state of a contract, None if it is not listed."""
        rows = self.exchange.instrument_rows(symbol)
        return rows[0]["state"] if rows else None


def test_everything_has_a_price_at_once() -> None:
    """After the first step every contract of the day is open and shows a last price."""
    floor = Floor("2026-11-22T12:00:00")
    rows = [row for row in floor.exchange.instrument_rows() if not str(row["symbol"]).startswith(".")]
    assert len(rows) == len(venue_catalogue().contracts_at(at("2026-11-22T12:00:00"))) > 120
    assert all(row["state"] == "Open" and row["lastPrice"] is not None for row in rows)


def test_the_tape_moves_each_step_and_the_others_in_turns() -> None:
    """The four are in every step; in a second of short steps all others move once."""
    floor = Floor("2026-11-22T12:00:00")
    turns = [floor.play(step, at("2026-11-22T12:00:01")) for step in STEPS[5:10]]
    four = {"XBTUSD", "XBTUSDT", "ETHUSD", "XBTH27"}
    assert all(four <= turn for turn in turns)
    assert sum(len(turn - four) for turn in turns) == len(set().union(*turns) - four) > 120


def test_a_future_expires_and_the_next_is_listed() -> None:
    """On the last Friday of November the monthly contract settles; its successor came on the fourth Tuesday."""
    floor = Floor("2026-11-22T12:00:00")
    assert (floor.state("XBTX26"), floor.state("XBTF27")) == ("Open", None)
    floor.play(STEPS[1], at("2026-11-24T04:00:00"))
    assert floor.state("XBTF27") == "Open"
    assert floor.exchange.instrument_rows("XBTF27")[0]["lastPrice"] is not None
    floor.play(STEPS[2], at("2026-11-27T12:00:01"))
    assert (floor.state("XBTX26"), floor.state("XBTH27")) == ("Settled", "Open")
    assert floor.exchange.money_is_conserved()


def test_what_is_not_listed_is_not_priced() -> None:
    """The tape's future of 2027 is left out on a day that does not list it."""
    floor = Floor("2020-03-12T12:00:00")
    assert floor.state("XBTH27") is None
    assert "XBTH27" not in floor.play(STEPS[1], at("2020-03-12T12:00:01"))


def test_the_tape_keeps_to_the_ticks_of_the_listing(real_data: Path) -> None:
    """In 2021 XBTUSD had ticks of half a dollar: last price and book stand on them."""
    catalogue = file_catalogue(real_data / "rest" / "bitmex-instrument-active-2021-07-22.json.gz")
    floor = Floor("2021-07-22T23:00:00", catalogue)
    for step in STEPS[1:8]:
        floor.play(step, at("2021-07-22T23:00:01"))
        (row,) = floor.exchange.instrument_rows("XBTUSD")
        cells = [row[name] for name in ("lastPrice", "bidPrice", "askPrice")]
        assert all(isinstance(cell, Decimal) and cell % Decimal("0.5") == 0 for cell in cells)


def test_two_runs_are_one() -> None:
    """The same seed and times give the same state, byte for byte."""
    documents = []
    for _ in range(2):
        floor = Floor("2026-11-22T12:00:00")
        for step in STEPS[1:6]:
            floor.play(step, at("2026-11-22T12:00:01"))
        documents.append(floor.exchange.save())
    assert documents[0] == documents[1]


def test_a_way_of_its_own_is_gone_in_every_step() -> None:
    """A contract with a path is on it after each step, however short, between its price limits, on its ticks."""
    day = at("2026-11-22T12:00:00")
    line = Line([(STEPS[0].tape_ms, Decimal(100)), (STEPS[9].tape_ms, Decimal(10))])
    floor = Floor("2026-11-22T12:00:00", paths={"SOLUSD": line})
    for step in STEPS[1:10]:
        assert "SOLUSD" in floor.play(step, day)
        row: dict[str, Any] = floor.exchange.instrument_rows("SOLUSD")[0]
        wanted = Decimal(line.leaving(step.tape_ms))
        assert abs(row["lastPrice"] - wanted) <= row["tickSize"]
        assert row["lastPrice"] % row["tickSize"] == 0
        assert abs(row["markPrice"] / wanted - 1) < Decimal("0.01")


def test_a_lister_that_comes_later_goes_on_in_turns() -> None:
    """After a restart the markets move whose turn it is, as if nothing had been."""
    one, other = Floor("2026-11-22T12:00:00"), Floor("2026-11-22T12:00:00")
    for floor in (one, other):
        for step in STEPS[1:4]:
            floor.play(step, at("2026-11-22T12:00:01"))
    other.lister = Lister(venue_catalogue(), other.exchange, seed=3)
    for step in STEPS[4:9]:
        assert one.play(step, at("2026-11-22T12:00:02")) == other.play(step, at("2026-11-22T12:00:02"))
    assert one.exchange.save() == other.exchange.save()
