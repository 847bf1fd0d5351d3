"""Prices of everything the tape does not carry itself, worked out from what it does.

Why: a venue with a hundred and thirty contracts moves all of them, and programs that pick one must find a
market there. Nobody needs their true history, so each is a function of the tape's XBT and ETH prices, the
time and the seed: stateless, the same after a restart, and sane beside its sisters (ADAUSD and ADAUSDT
agree, an ETH future in XBT is worth what ETHUSD and XBTUSD say).

An index starts from its level in the listing. Its underlying has grown since then: XBT and ETH as the tape's
indices have, other coins by a power of XBT's growth (`_COIN_BETAS`, drawn by name) and a slow walk of their
own, stocks, metals and currencies by a small power. The quote currency's growth divides it. Marks stand off
the index by a slow basis, those of dated contracts by `BASIS_A_YEAR` of the time left; a spread is the
difference of its legs.

Floats are used throughout and rounded at the end: these prices are made up, not accounted for.
Units: prices in quote currency, times in milliseconds, growth as a ratio.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from math import ceil, exp, log
from zlib import crc32

from connectors.simulated.engine.contracts import ETHUSD, XBTUSD, Contract, Index, Kind
from connectors.simulated.engine.inputs import SymbolPrices
from connectors.simulated.tape.market import CALM_LEVEL_USD, Wave
from connectors.simulated.tape.noise import derive, unit

BASIS_A_YEAR = 0.02
LEVEL_SHARE = 0.25  # of the tape's own contracts' depth
MOVES_A_SECOND = 1.0
FEWEST = 1 / 64  # share of the contracts that move in a step, however short it is
_COIN_BETAS = (0.8, 1.2)
_SLOW_BETA = 0.1
_DOLLARS = frozenset({"USD", "USDT", "RLUSD"})
_CURRENCIES = "MRFXXX"
_SLOW_TYPES = frozenset({"MRSXXX", _CURRENCIES})  # stocks, metals, oil
_SLOW_COINS = frozenset({"XAUT"})
_WALK, _BASIS, _LAST = 0.01, 0.0002, 0.0002
_WIDEST = 0.002
_SPREAD = 0.0002  # half of it, of the price
_DOLLARS_IN = {"USDt": 1e-6, "USDT": 1e-6}  # one minor unit
_SATOSHI = 1e-8
_YEAR_MS = 365 * 86_400_000


class Followers:
    """The prices of all contracts but the tape's own."""

    def __init__(
        self, contracts: Iterable[Contract], indices: Mapping[str, Index], *, carried: Container[str], seed: int
    ) -> None:
        """Prepare them.

        Args:
            contracts: Everything that is listed.
            carried: Symbols that the tape prices itself.
            indices: The listed indices by symbol, for the levels they start from.
            seed: Origin of their walks.
        """
        self._indices = indices
        self._listed = {one.symbol: one for one in contracts}
        self._contracts = [one for symbol, one in self._listed.items() if symbol not in carried]
        self._seed = seed
        self._waves: dict[str, Wave] = {}
        self._levels = {
            "XBT": _level(indices.get(XBTUSD.reference_symbol)),
            "ETH": _level(indices.get(ETHUSD.reference_symbol)),
        }

    def moving(self, step: int, real_ms: int) -> list[Contract]:
        """Return those whose turn it is in a step: each about once a second, all of them in the first."""
        share = min(1.0, max(FEWEST, real_ms / 1000 * MOVES_A_SECOND))
        if step == 0 or share == 1.0:
            return list(self._contracts)
        count = len(self._contracts)
        return [
            one
            for place, one in enumerate(self._contracts)
            if int(step * share + place / count) != int((step - 1) * share + place / count)
        ]

    def prices(
        self, contracts: Iterable[Contract], leading: Mapping[str, SymbolPrices], *, tape_ms: int, at_ms: int
    ) -> list[SymbolPrices]:
        """Return the prices of some of them.

        Args:
            contracts: Which.
            leading: The tape's prices of XBTUSD and ETHUSD.
            tape_ms: Time on the tape, which the walks follow.
            at_ms: Protocol time, which the basis of dated contracts follows.
        """
        xbt, eth = leading[XBTUSD.symbol], leading.get(ETHUSD.symbol)
        growth = {"XBT": float(xbt.index) / self._levels["XBT"]}
        if eth is not None:
            growth["ETH"] = float(eth.index) / self._levels["ETH"]
        return [self._quote(one, growth, xbt, tape_ms=tape_ms, at_ms=at_ms) for one in contracts]

    def _quote(
        self, contract: Contract, growth: Mapping[str, float], xbt: SymbolPrices, *, tape_ms: int, at_ms: int
    ) -> SymbolPrices:
        if contract.kind is Kind.SPREAD:
            return self._spread(contract, growth, tape_ms=tape_ms, at_ms=at_ms)
        index = self._index_price(contract, growth, tape_ms)
        fair = index * (1 + self._basis(contract, tape_ms, at_ms))
        shown = _on_grid(fair, contract.min_tick)
        drawn = unit(derive(self._seed, 2, crc32(contract.symbol.encode())), tape_ms)
        last = _on_grid(fair + _swing(contract, fair) * (drawn - 0.5), contract.tick_size)
        ticks = max(1, ceil(_SPREAD * float(last / contract.tick_size)))
        is_last_price = contract.mark_method == "LastPrice"
        limit = contract.limit
        return SymbolPrices(
            symbol=contract.symbol,
            mark=last if is_last_price else shown,
            index=_on_grid(index, contract.min_tick),
            last=last,
            half_spread=ticks * contract.tick_size,
            depth=0 if xbt.halted else _depth(contract, last, float(xbt.last), 0.5 + drawn),
            halted=xbt.halted,
            limit_down=None if limit is None else contract.on_tick(shown * (1 - limit), up=True),
            limit_up=None if limit is None else contract.on_tick(shown * (1 + limit), up=False),
        )

    def _spread(self, contract: Contract, growth: Mapping[str, float], *, tape_ms: int, at_ms: int) -> SymbolPrices:
        near, far = (self._listed.get(name or "") for name in (contract.near_leg, contract.far_leg))
        price = Decimal(0)
        if near is not None and far is not None:
            index = self._index_price(near, growth, tape_ms)
            apart = self._basis(near, tape_ms, at_ms) - self._basis(far, tape_ms, at_ms)
            price = round(index * apart / float(contract.tick_size)) * contract.tick_size
        return SymbolPrices(
            symbol=contract.symbol, mark=price, index=price, last=price, half_spread=contract.tick_size, depth=0
        )

    def _index_price(self, contract: Contract, growth: Mapping[str, float], tape_ms: int) -> float:
        index = self._indices.get(contract.reference_symbol)
        if index is None:
            return float(contract.max_price) / 2  # a prediction between nothing and all
        grown = self._growth(index.underlying, index.typ, growth, tape_ms)
        return _level(index) * grown / self._growth(index.quote_currency, index.typ, growth, tape_ms)

    def _growth(self, currency: str, typ: str, growth: Mapping[str, float], tape_ms: int) -> float:
        """Return by how much a currency has grown in dollars since the listing was taken."""
        if currency in _DOLLARS:
            return 1.0
        known = growth.get(currency)
        if known is not None:
            return known
        walked = 1 + _WALK * self._wave(currency).at(tape_ms)
        if typ in _SLOW_TYPES or currency in _SLOW_COINS or currency == "EUR":
            power = 0.0 if typ == _CURRENCIES or currency == "EUR" else _SLOW_BETA
            return _power(growth["XBT"], power) * (1 + (walked - 1) / 10)
        low, high = _COIN_BETAS
        drawn = unit(derive(self._seed, 0), crc32(currency.encode()))
        return _power(growth["XBT"], low + (high - low) * drawn) * walked

    def _basis(self, contract: Contract, tape_ms: int, at_ms: int) -> float:
        slow = _BASIS * self._wave(contract.symbol).at(tape_ms)
        if contract.expiry is None:
            return slow
        left_ms = max(0.0, datetime.fromisoformat(contract.expiry).timestamp() * 1000 - at_ms)
        return slow + BASIS_A_YEAR * left_ms / _YEAR_MS

    def _wave(self, name: str) -> Wave:
        if name not in self._waves:
            self._waves[name] = Wave(derive(self._seed, 1, crc32(name.encode())))
        return self._waves[name]


def _level(index: Index | None) -> float:
    return 1.0 if index is None or not index.level else float(index.level)


def _power(growth: float, beta: float) -> float:
    return exp(beta * log(growth))


def _on_grid(price: float, step: Decimal) -> Decimal:
    return max(1, round(price / float(step))) * step


def _swing(contract: Contract, price: float) -> float:
    """Return how far apart two last prices may be: some ticks, where a tick is small."""
    return max(_LAST * price, min(3 * float(contract.tick_size), _WIDEST * price))


def _depth(contract: Contract, price: Decimal, xbt_price: float, share: float) -> int:
    unit_name = contract.settl_currency or contract.quote_currency
    dollars = _DOLLARS_IN.get(unit_name, _SATOSHI * xbt_price)
    lot = max(contract.lot_value(price) * dollars, 1e-9)
    return max(1, round(CALM_LEVEL_USD * LEVEL_SHARE * share / lot)) * contract.lot_size
