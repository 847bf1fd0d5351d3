"""From what the exchange and the webhook said to the record of a run.

Pure: rows and alerts in, frozen values out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from daemon.demo.alert_receiver import ReceivedAlert, only_news
from daemon.demo.bot import ORDER_PREFIX
from daemon.demo.plan import PlannedPosition
from daemon.demo.record import AlertFact, Exit, HeldPosition, PricePoint, StopFact
from daemon.demo.tape_control import Row, TapeEvent, TapePrices

GUARD_PREFIX = "sw-"
NS_PER_MS = 1_000_000
_STOP_WORDS = {"trigger": "triggered", "fill": "filled", "cancel": "canceled"}


@dataclass(frozen=True, slots=True)
class TapeClock:
    """Turns protocol time into tape time, by the steps of the tape."""

    at_ms: tuple[int, ...]
    tape_ms: tuple[int, ...]

    @classmethod
    def of(cls, prices: Sequence[TapePrices]) -> TapeClock:
        """The clock of a played tape."""
        return cls(tuple(p.at_ms for p in prices), tuple(p.tape_ms for p in prices))

    def read(self, at_ms: int) -> int:
        """Tape time of the newest step at `at_ms`; the first step's before it, 0 without any."""
        if not self.tape_ms:
            return 0
        return self.tape_ms[max(0, bisect_right(self.at_ms, at_ms) - 1)]


def price_points(prices: Sequence[TapePrices], symbol: str) -> tuple[PricePoint, ...]:
    """The tape of one symbol at full resolution."""
    return tuple(PricePoint(tape_ms=p.tape_ms, mark=p.mark[symbol], last=p.last[symbol]) for p in prices)


def held_position(plan: PlannedPosition, row: Row, opening: TapeEvent, clock: TapeClock) -> HeldPosition:
    """A position as its row and its opening fill show it."""
    return HeldPosition(
        symbol=plan.symbol,
        side=plan.side,
        title=plan.title,
        quantity=int(str(row["currentQty"])),
        entry_price=Decimal(str(row["avgEntryPrice"])),
        liquidation_price=_price(row.get("liquidationPrice")),
        opened_tape_ms=opening.tape_ms if opening.tape_ms is not None else clock.read(opening.at_ms),
        opened_at_ms=opening.at_ms,
    )


@dataclass(slots=True)
class _Held:
    quantity: int = 0
    was_taken: bool = False


def exits(events: Iterable[TapeEvent], account: int) -> tuple[Exit, ...]:
    """How each position of an account ended: every time its size came back to zero."""
    held: dict[str, _Held] = {}
    found = []
    for event in events:
        if event.account != account or event.kind not in {"fill", "liquidation"}:
            continue
        symbol = str(event.row["symbol"])
        position = held.setdefault(symbol, _Held())
        position.quantity += _signed_quantity(event.row)
        position.was_taken |= event.kind == "liquidation"
        if position.quantity == 0:
            price = _price(event.row.get("lastPx")) or Decimal(0)
            found.append(
                Exit(tape_ms=event.tape_ms or 0, symbol=symbol, is_liquidation=position.was_taken, price=price)
            )
            del held[symbol]
    return tuple(found)


def stop_facts(
    events: Sequence[TapeEvent],
    account: int,
    confirmed: Mapping[str, int],
    clock: TapeClock,
    *,
    was_restarted: bool = False,
) -> tuple[StopFact, ...]:
    """The life of the guard's stops.

    Args:
        events: All executions.
        account: The guarded account.
        confirmed: Per symbol, the protocol time (ms) at which the guard itself first had the cover confirmed by the
            order stream. A stop that the exchange accepted counts from then on, not from its acceptance.
        clock: For the tape time of a confirmation.
        was_restarted: The guard's process was killed on the way. A guard that died between placing a stop and hearing
            of it could not tell; where the stop fired before the next guard did, the exchange's own word counts.
    """
    own = [event for event in events if event.account == account and _is_guard_stop(event.row)]
    fired = {str(event.row["symbol"]): event.at_ms for event in reversed(own) if event.kind == "trigger"}
    facts: list[StopFact] = []
    for event in own:
        symbol = str(event.row["symbol"])
        what = "resting" if event.kind in {"confirmed", "amend"} else _STOP_WORDS.get(event.kind)
        told_ms = confirmed.get(symbol)
        if was_restarted and symbol in fired and (told_ms is None or told_ms > fired[symbol]):
            told_ms = event.at_ms
        if what is None or (what == "resting" and told_ms is None):
            continue
        facts.append(_stop_fact(event, what, told_ms, clock))
    return tuple(facts)


def _stop_fact(event: TapeEvent, what: str, told_ms: int | None, clock: TapeClock) -> StopFact:
    at_ms = max(event.at_ms, told_ms or 0) if what == "resting" else event.at_ms
    return StopFact(
        at_ms=at_ms,
        tape_ms=clock.read(at_ms) if what == "resting" else event.tape_ms or 0,
        symbol=str(event.row["symbol"]),
        client_order_id=str(event.row["clOrdID"]),
        what=what,
        stop_price=_price(event.row.get("stopPx")) or Decimal(0),
    )


def confirmations(alerts: Iterable[ReceivedAlert]) -> dict[str, int]:
    """Per symbol, when the guard first said that its cover is confirmed resting (protocol time, ms)."""
    found: dict[str, int] = {}
    for alert in alerts:
        for fact in alert.members:
            if fact.topic == "cover" and fact.state == "covered":
                found.setdefault(fact.symbol, fact.since_ns // NS_PER_MS)
    return found


@dataclass(slots=True)
class _Exposure:
    quantities: dict[str, int] = field(default_factory=dict)

    def take(self, row: Row) -> None:
        symbol = str(row["symbol"])
        self.quantities[symbol] = self.quantities.get(symbol, 0) + _signed_quantity(row)


def unsafe_orders(events: Iterable[TapeEvent], account: int) -> tuple[str, ...]:
    """Orders on the guarded account, other than the bot's, that could have added danger, in words."""
    exposure = _Exposure()
    found = []
    for event in events:
        if event.account != account:
            continue
        if event.kind == "confirmed" and not str(event.row.get("clOrdID") or "").startswith(ORDER_PREFIX):
            found.extend(_danger(event.row, exposure.quantities.get(str(event.row["symbol"]), 0)))
        if event.kind in {"fill", "liquidation"}:
            exposure.take(event.row)
    return tuple(found)


def _danger(row: Row, quantity: int) -> list[str]:
    name = f"{row.get('clOrdID')} {row.get('side')} {row.get('symbol')}"
    instructions = str(row.get("execInst") or "").split(",")
    found = []
    if "ReduceOnly" not in instructions and "Close" not in instructions:
        found.append(f"{name} is neither reduce-only nor close")
    if row.get("ordType") == "Stop" and "MarkPrice" not in instructions:
        found.append(f"{name} is not triggered by the mark price")
    if quantity and (quantity > 0) == (row.get("side") == "Buy"):
        found.append(f"{name} is on the side that adds to a position of {quantity}")
    return found


def alert_facts(alerts: Iterable[ReceivedAlert], clock: TapeClock) -> tuple[AlertFact, ...]:
    """What people were told, each fact once, with the time on the tape."""
    return tuple(
        AlertFact(
            at_ms=alert.raised_ns // NS_PER_MS,
            tape_ms=clock.read(alert.raised_ns // NS_PER_MS),
            severity=alert.severity,
            topic=alert.topic,
            state=alert.state,
            symbol=alert.symbol,
            text=alert.text,
            symbols=tuple(dict.fromkeys(fact.symbol for fact in alert.members if fact.symbol)),
        )
        for alert in only_news(alerts)
    )


def equity_sat(margins: Iterable[Row], xbt_price: Decimal) -> int:
    """An account's equity in XBt; the USDT wallet is converted at `xbt_price` and rounded down."""
    total = 0
    for row in margins:
        balance = int(str(row.get("marginBalance") or 0))
        total += balance if row.get("currency") == "XBt" else int(balance * 100 / xbt_price)
    return total


def _is_guard_stop(row: Row) -> bool:
    return str(row.get("clOrdID") or "").startswith(GUARD_PREFIX) and row.get("ordType") == "Stop"


def _signed_quantity(row: Row) -> int:
    quantity = int(str(row.get("lastQty") or 0))
    return quantity if row.get("side") == "Buy" else -quantity


def _price(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
