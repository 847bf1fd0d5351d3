"""From the tables of a scenario file to inputs with their times.

Why: what a scenario does to the exchange is nothing special: accounts, orders and faults are the inputs a
client or the control API would cause. Only their times are given.

Units: `at_ms` milliseconds of tape time. Raises nothing: what does not fit is noted in the reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from connectors.simulated.engine.faults.board import check
from connectors.simulated.engine.inputs import (
    Announce,
    ClearFault,
    Deposit,
    PassTime,
    PlaceOrder,
    Plain,
    RestrictMarket,
    SetFault,
    SetKey,
    SetLeverage,
    SetPosition,
    SettleContract,
)
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.engine.staging import check_key
from connectors.simulated.tape.scenario_fields import TABLES
from connectors.simulated.tape.scenario_reading import Reading, Values

FIRST_ACCOUNT = 100_001
_FAULT_FIELDS = ("verb", "path", "operation", "table", "symbol", "count")
_USUAL = Decimal(100), Decimal(1)  # depth in percent and spread of the modelled book


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """What should be so by a moment; None is not asked."""

    account: int
    symbol: str
    quantity: int | None
    open_orders: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Timed:
    """One thing that happens at a moment of the tape.

    Attributes:
        number: Counts from 1 in order of time.
        at_ms: When.
        input: What; nothing but time for an expectation.
        expectation: What is looked at then.
    """

    number: int
    at_ms: int
    input: Plain
    expectation: Expectation | None = None


_Entry = tuple[int, Plain, Expectation | None]


def numbered(entries: Iterable[_Entry]) -> tuple[Timed, ...]:
    """Return the entries in order of time, those of one moment in the order they stand."""
    ordered = sorted(entries, key=lambda entry: entry[0])
    return tuple(
        Timed(number=number, at_ms=at_ms, input=value, expectation=expectation)
        for number, (at_ms, value, expectation) in enumerate(ordered, start=1)
    )


class Writer:
    """Writes the script of one file."""

    def __init__(self, reading: Reading, raw: Mapping[str, object], *, seed: int) -> None:
        self._reading = reading
        self._raw = raw
        self._seed = seed
        self._numbers: dict[str, int] = {}
        self.balances: list[dict[str, int] | None] = []

    def entries(self) -> list[_Entry]:
        """Return everything that happens, in the order of the file's tables."""
        steps: tuple[Callable[[], Iterator[_Entry]], ...] = (
            self._accounts, self._liquidity, self._faults, self._orders, self._deposits, self._announcements,
            self._restrictions, self._settlements, self._expectations,
        )  # fmt: skip
        return [entry for step in steps for entry in step()]

    def _accounts(self) -> Iterator[_Entry]:
        start_ms = self._reading.start_ms
        for where, raw in self._reading.tables(self._raw, "account"):
            values = self._reading.table(raw, TABLES["account"], where, inner=("key", "position"))
            name, number = str(values["name"]), FIRST_ACCOUNT + len(self._numbers)
            if name in self._numbers:
                self._reading.complain(f"{where}.name", f"there are two accounts {name!r}")
            self._numbers[name] = number
            self.balances.append(values["balances"])
            for at, key in self._reading.tables(raw, "account.key", where):
                found = self._reading.table(key, TABLES["account.key"], at)
                if None not in {found["key"], found["secret"]}:
                    yield self._key(_key(number, found), at)
            for at, position in self._reading.tables(raw, "account.position", where):
                found = self._reading.table(position, TABLES["account.position"], at)
                for value in _position(number, found):
                    yield start_ms, value, None

    def _key(self, key: SetKey, where: str) -> _Entry:
        try:
            check_key(key)
        except Refused as refusal:
            self._reading.complain(where, refusal.message)
        return self._reading.start_ms, key, None

    def _liquidity(self) -> Iterator[_Entry]:
        for where, values in self._read("liquidity"):
            depth, spread = values["depth_percent"], values["spread_times"]
            if (depth, spread) != _USUAL and depth is not None and spread is not None:
                parameters: dict[str, str | int | bool] = {"depth_percent": str(depth), "spread_times": str(spread)}
                yield from self._fault(SetFault(name="book-thin", parameters=parameters), where, self._reading.start_ms)

    def _faults(self) -> Iterator[_Entry]:
        known = {one.name for one in TABLES["fault"].fields}
        for where, values in self._read("fault"):
            parameters = {
                name: value if isinstance(value, str | int | bool) else str(value)
                for name, value in values.items()
                if name not in known
            }
            fault = SetFault(
                name=values["name"] or "",
                parameters=parameters,
                account=None if values["account"] is None else self._account(values, where),
                probability=values["probability"] if values["probability"] is not None else Decimal(1),
                seed=self._seed,
                label=where,
                **{name: values[name] for name in _FAULT_FIELDS},
            )
            yield from self._fault(fault, where, values["at"])
            if values["until"] is not None:
                if values["at"] is not None and values["until"] <= values["at"]:
                    self._reading.complain(f"{where}.until", "must be after at")
                yield values["until"], ClearFault(label=where), None

    def _fault(self, fault: SetFault, where: str, at_ms: int | None) -> Iterator[_Entry]:
        try:
            if fault.name:
                check(fault)
        except Refused as refusal:
            self._reading.complain(where, refusal.message)
        yield at_ms or 0, fault, None

    def _orders(self) -> Iterator[_Entry]:
        for where, values in self._read("order"):
            order = PlaceOrder(
                account=self._account(values, where),
                symbol=values["symbol"] or "",
                side=values["side"],
                order_qty=values["quantity"],
                price=values["price"],
                stop_px=values["stop_price"],
                ord_type=values["type"],
                exec_inst=",".join(values["instructions"] or ()),
                time_in_force=values["time_in_force"],
                cl_ord_id=values["client_id"] or "",
                text=values["text"] or "",
            )
            yield values["at"] or 0, order, None

    def _deposits(self) -> Iterator[_Entry]:
        for where, values in self._read("deposit"):
            account, currency = self._account(values, where), values["currency"] or ""
            yield values["at"] or 0, Deposit(account=account, currency=currency, amount=values["amount"] or 0), None

    def _announcements(self) -> Iterator[_Entry]:
        for _, values in self._read("announcement"):
            texts = {name: values[name] or "" for name in ("title", "content", "link")}
            yield values["at"] or 0, Announce(is_urgent=bool(values["urgent"]), **texts), None

    def _restrictions(self) -> Iterator[_Entry]:
        for _, values in self._read("restriction"):
            value = RestrictMarket(symbol=values["symbol"] or "", reduce_only=bool(values["reduce_only"]))
            yield values["at"] or 0, value, None

    def _settlements(self) -> Iterator[_Entry]:
        for _, values in self._read("settlement"):
            yield values["at"] or 0, SettleContract(symbol=values["symbol"] or "", price=values["price"]), None

    def _expectations(self) -> Iterator[_Entry]:
        for where, values in self._read("expect"):
            expectation = Expectation(
                account=self._account(values, where),
                symbol=values["symbol"] or "",
                quantity=values["quantity"],
                open_orders=values["open_orders"],
            )
            yield values["at"] or 0, PassTime(), expectation

    def _read(self, name: str) -> Iterator[tuple[str, Values]]:
        for where, raw in self._reading.tables(self._raw, name):
            values = self._reading.table(raw, TABLES[name], where)
            self._reading.complain_of_time(f"{where}.at", values.get("at"))
            yield where, values

    def _account(self, values: Values, where: str) -> int:
        name = values["account"]
        if name is not None and name not in self._numbers:
            there = ", ".join(self._numbers) or "none; write one with [[account]]"
            self._reading.complain(f"{where}.account", f"no account {name!r}; there are {there}")
        return self._numbers.get(str(name), 0)


def _key(account: int, values: Values) -> SetKey:
    return SetKey(
        account=account,
        key_id=values["key"] or "",
        secret=values["secret"] or "",
        name=values["name"] or "",
        permissions=values["permissions"] or (),
        cidrs=values["cidrs"] or (),
        is_enabled=bool(values["enabled"]),
    )


def _position(account: int, values: Values) -> Iterator[Plain]:
    symbol = values["symbol"] or ""
    if values["leverage"] is not None:
        yield SetLeverage(account=account, symbol=symbol, leverage=values["leverage"])
    yield SetPosition(account=account, symbol=symbol, quantity=values["quantity"] or 0, price=values["price"])
