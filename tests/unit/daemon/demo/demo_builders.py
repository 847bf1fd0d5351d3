"""Small complete values of a demo run; tests change the one field they are about."""

from decimal import Decimal

from connectors.vocabulary import Side
from daemon.demo.record import AccountRecord, AlertFact, Exit, HeldPosition, PricePoint, RunRecord, StopFact

START_MS = 1_584_000_000_000


def a_position(**changes: object) -> HeldPosition:
    fields: dict[str, object] = {
        "symbol": "XBTUSD",
        "side": Side.LONG,
        "title": "XBTUSD long (isolated 20x)",
        "quantity": 1000,
        "entry_price": Decimal(100),
        "liquidation_price": Decimal(95),
        "opened_tape_ms": START_MS,
        "opened_at_ms": 5_000,
    }
    return HeldPosition(**{**fields, **changes})  # type: ignore[arg-type]


def a_stop(after_ms: int = 1_000, what: str = "resting", price: str = "97") -> StopFact:
    return StopFact(
        at_ms=5_000 + after_ms,
        tape_ms=START_MS + after_ms,
        symbol="XBTUSD",
        client_order_id="sw-1-XBTUSD-L-s0",
        what=what,
        stop_price=Decimal(price),
    )


def an_account(name: str, *exits: Exit) -> AccountRecord:
    return AccountRecord(name=name, account=1, equity_start_sat=100_000_000, equity_end_sat=80_000_000, exits=exits)


def an_exit(after_ms: int, *, is_liquidation: bool) -> Exit:
    return Exit(tape_ms=START_MS + after_ms, symbol="XBTUSD", is_liquidation=is_liquidation, price=Decimal("96.5"))


def prices(*marks: float) -> tuple[PricePoint, ...]:
    """One point a second from the start."""
    return tuple(PricePoint(tape_ms=START_MS + 1_000 * n, mark=mark, last=mark) for n, mark in enumerate(marks))


def a_saved_run(**changes: object) -> RunRecord:
    """A crash in which the stop at 97 rests after 1 s, is reached after 3 s, and 95 after 5 s takes the other."""
    fields: dict[str, object] = {
        "source": "scenario crash, seed 1",
        "mark_source": "modelled",
        "tape_start_ms": START_MS,
        "tape_end_ms": START_MS + 6_000,
        "seconds": 6.0,
        "guarded": an_account("guarded", an_exit(3_000, is_liquidation=False)),
        "unguarded": an_account("unguarded", an_exit(5_000, is_liquidation=True)),
        "positions": (a_position(),),
        "stops": (a_stop(), a_stop(3_000, "triggered")),
        "alerts": (
            AlertFact(
                at_ms=6_000,
                tape_ms=START_MS + 1_000,
                severity="warning",
                topic="tier",
                state="warn",
                symbol="XBTUSD",
                text="XBTUSD is 3 % from liquidation <now>",
            ),
        ),
        "prices": {"XBTUSD": prices(100, 99, 98, 97, 96, 95, 94)},
        "unsafe": (),
        "restarts": {},
    }
    return RunRecord(**{**fields, **changes})  # type: ignore[arg-type]
