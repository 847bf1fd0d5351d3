"""Prices of everything the tape does not carry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from connectors.simulated.engine.contracts import Contract, Kind
from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.listing.opening import venue_catalogue
from connectors.simulated.tape.followers import Followers
from connectors.simulated.tape.market import FOLLOWERS, Market

DAY_MS = 1_777_784_400_000  # 2026-05-03T05:00Z, when the table was taken
TABLE = venue_catalogue()
LISTED = TABLE.contracts_at(DAY_MS)
INDICES = {one.symbol: one for one in TABLE.table.indices}
CARRIED = frozenset(one.contract.symbol for one in FOLLOWERS)


def followers(seed: int = 1) -> Followers:
    """Return the followers of that day's listing."""
    return Followers(LISTED, INDICES, carried=CARRIED, seed=seed)


def leading(xbt: str = "78176.66", eth: str = "2302.03", *, is_halted: bool = False) -> dict[str, SymbolPrices]:
    """Return the tape's prices of XBTUSD and ETHUSD."""
    rows = Market(seed=1, first_price=Decimal(xbt), tape_ms=0).prices(Decimal(xbt), halted=is_halted)
    exact = {"XBTUSD": Decimal(xbt), "ETHUSD": Decimal(eth)}
    return {
        row.symbol: SymbolPrices(
            symbol=row.symbol,
            mark=exact[row.symbol],
            index=exact[row.symbol],
            last=exact[row.symbol],
            half_spread=row.half_spread,
            depth=row.depth,
            halted=row.halted,
        )
        for row in rows
        if row.symbol in exact
    }


def quoted(contracts: Iterable[Contract] = (), *, tape_ms: int = 0, **led: str) -> dict[str, SymbolPrices]:
    """Return the prices of contracts, all of them if none are named."""
    chosen = list(contracts) or followers().moving(0, 0)
    return {one.symbol: one for one in followers().prices(chosen, leading(**led), tape_ms=tape_ms, at_ms=DAY_MS)}


def test_all_but_the_tapes_own_in_the_first_step() -> None:
    """The first step prices every market, so each has a price before anybody asks."""
    assert {one.symbol for one in followers().moving(0, 0)} == {one.symbol for one in LISTED} - CARRIED


def test_each_moves_about_once_a_second() -> None:
    """Five steps of 200 ms move every market once; a long step moves all; a step without length moves some."""
    turns = [one.symbol for step in range(5, 10) for one in followers().moving(step, 200)]
    assert sorted(turns) == sorted(one.symbol for one in followers().moving(0, 0))
    assert len(followers().moving(7, 5_000)) == len(set(turns))
    assert 0 < sum(len(followers().moving(step, 0)) for step in range(1, 65)) <= len(turns)


def test_on_the_tables_day_prices_are_near_its_levels() -> None:
    """With XBT and ETH where they were, each index is within some percent of the listing's."""
    for symbol, row in quoted().items():
        index = INDICES.get({one.symbol: one for one in LISTED}[symbol].reference_symbol)
        if index is not None and index.level:
            assert abs(row.index / index.level - 1) < Decimal("0.03"), symbol


def test_prices_are_ones_the_engine_takes() -> None:
    """On the grid, above zero but for spreads, below the highest price, with a book of whole lots."""
    contracts = {one.symbol: one for one in LISTED}
    for xbt in ("4000", "78000", "250000"):
        for symbol, row in quoted(xbt=xbt).items():
            contract = contracts[symbol]
            assert row.last % contract.tick_size == 0, symbol
            assert row.half_spread >= contract.tick_size
            assert row.depth % contract.lot_size == 0
            assert contract.kind is Kind.SPREAD or 0 < row.last <= contract.max_price, symbol
            assert contract.kind is Kind.SPREAD or (row.mark > 0 and row.index > 0 and row.depth > 0), symbol


def test_sisters_agree() -> None:
    """A coin in dollars and in USDT, an ETH future in XBT and the two prices behind it."""
    row = quoted(xbt="60000", eth="2400")
    assert abs(row["ADAUSD"].index / row["ADAUSDT"].index - 1) < Decimal("0.002")
    assert abs(row["ETHM26"].index / (Decimal(2400) / 60000) - 1) < Decimal("0.002")
    assert abs(row["XBTETH"].index / 25 - 1) < Decimal("0.002")


def test_crypto_falls_with_xbt_and_stocks_hardly() -> None:
    """Half the XBT price is about half of a coin, a few percent of a stock, nothing of a currency."""
    before, after = quoted(), quoted(xbt="39088.33", eth="1151.01")
    fallen = {symbol: after[symbol].index / before[symbol].index for symbol in ("SOLUSDT", "AAPLUSDT", "EURUSD")}
    assert Decimal("0.4") < fallen["SOLUSDT"] < Decimal("0.6")
    assert Decimal("0.9") < fallen["AAPLUSDT"] < 1
    assert fallen["EURUSD"] == 1


def test_futures_stand_off_by_the_time_left_and_spreads_by_the_difference() -> None:
    """The later the dearer; near less far is below zero."""
    row = quoted()
    assert row["XBTK26"].mark < row["XBTU26"].mark < row["XBTZ26"].mark
    spread = row["XBTU26-XBTZ26"]
    assert spread.last < 0
    assert abs(spread.last - (row["XBTU26"].mark - row["XBTZ26"].mark)) < 5


def test_same_seed_same_prices_whatever_came_before() -> None:
    """Prices are a function of seed and time: no state, so a restart changes nothing."""
    assert quoted(tape_ms=777_000) == quoted(tape_ms=777_000)
    other = followers(seed=2)
    rows = other.prices(other.moving(0, 0), leading(), tape_ms=777_000, at_ms=DAY_MS)
    assert {one.symbol: one for one in rows} != quoted(tape_ms=777_000)


def test_a_halt_of_the_tape_halts_them_too() -> None:
    """Nothing trades anywhere while the tape stands; prices are still shown."""
    row = followers().prices(followers().moving(0, 0), leading(is_halted=True), tape_ms=0, at_ms=DAY_MS)
    assert all(one.halted and one.depth == 0 for one in row if "-" not in one.symbol)


def test_stock_perpetuals_have_a_price_band() -> None:
    """Contracts with a `limit` come with the lowest and highest price of orders around the mark."""
    band = quoted()["NATGASUSDT"]
    assert band.limit_down is not None
    assert band.limit_up is not None
    assert Decimal("0.979") < band.limit_down / band.mark < Decimal("0.982")
    assert Decimal("1.018") < band.limit_up / band.mark < Decimal("1.021")


def test_without_an_index_a_prediction_stands_in_the_middle() -> None:
    """A contract whose reference is not listed is priced at half of its highest price."""
    prediction = next(one for one in LISTED if one.typ == "FFICSX")
    assert quoted([prediction])[prediction.symbol].index == prediction.max_price / 2
    assert quoted([replace(prediction, reference_symbol=".NONE")])[prediction.symbol].mark > 0
