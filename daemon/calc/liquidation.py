"""`seawall calc liquidation`: where a position is liquidated and bankrupt, how sure that is, and what moves it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from decimal import Decimal

from connectors.vocabulary import ZERO, Instrument, Margin, Position, Side
from daemon.calc.answer import Answer, decimal_or_none, write_answer
from daemon.calc.contract import Contract, contract_of
from daemon.calc.numbers import amount_text, percent_text, plain, price_text
from daemon.calc.opened import Cross, Opened, opened
from daemon.calc.shared import backing_of, backing_text, note_part_of_a_lot, percent_between, say_source, side_of
from daemon.core.margin.confidence import Confidence
from daemon.core.margin.own_liquidation import (
    computed_maintenance_sat,
    consistent_margin,
    own_bankruptcy_price,
    own_price,
)
from daemon.core.margin.what_if import margin_added
from daemon.exit_codes import ExitCode

NEVER = "none: no price in the contract's range liquidates it"
SURENESS = {
    Confidence.EXACT: "exact: to the tick on all real rows of this kind (2017 to 2024 where margin is isolated)",
    Confidence.STATED: "stated: by the exchange's own rules, with few real rows to confirm it",
    Confidence.DERIVED: "derived: follows from another price of the same row",
    Confidence.COMPUTED: "computed: our reading of the rules, no real row to confirm it; compare with the exchange",
}


def calc_liquidation(options: argparse.Namespace) -> int:
    """Answer the command line."""
    write_answer(answer_liquidation(options), as_json=options.as_json)
    return ExitCode.OK


def answer_liquidation(options: argparse.Namespace) -> Answer:
    """Return the answer.

    Raises:
        CommandFailed: If the options contradict each other or the exchange would not take the position.
    """
    contract = contract_of(options)
    side = side_of(options)
    backing = backing_of(options, contract.instrument.settlement_currency)
    found = opened(
        contract.instrument, side, options.contracts, entry=options.entry, backing=backing, mark=contract.mark
    )
    answer = Answer(title=_title(contract, found, options, backing_text(backing, contract.instrument)))
    _say_prices(answer, contract, found, side)
    _say_margins(answer, found)
    _say_funding(answer, found, side)
    _say_moves(answer, found)
    say_source(answer, contract)
    note_part_of_a_lot(answer, contract.instrument, options.contracts)
    _warn(answer, contract, found, side)
    if isinstance(backing, Cross):
        answer.notes.append(
            "cross: as if this were the account's only position; `seawall stress` looks at all of them together"
        )
    return answer


def _title(contract: Contract, found: Opened, options: argparse.Namespace, backing: str) -> str:
    side = "long" if found.position.quantity > 0 else "short"
    return f"{contract.instrument.symbol} {side} {options.contracts:,} from {price_text(options.entry)}, {backing}"


def _say_prices(answer: Answer, contract: Contract, found: Opened, side: Side) -> None:
    own = own_price(found.position, found.instrument, found.margin)
    bankruptcy = own_bankruptcy_price(found.position, found.instrument, found.margin)
    base, word = (contract.mark, "mark") if contract.mark is not None else (found.position.entry_price, "entry")
    room = percent_between(base, own.price, side)
    away = "" if room is None else f"  ({percent_text(room)} from the {word} {price_text(base)})"
    answer.say(
        "liquidation",
        price_text(own.price, none=NEVER) + away,
        liquidation_price=decimal_or_none(own.price),
        room_percent=room,
        room_from=word,
    )
    answer.say(
        "bankruptcy",
        price_text(bankruptcy, none="none in range"),
        bankruptcy_price=decimal_or_none(bankruptcy),
    )
    engine = own.engine.value if own.engine else None
    sureness = SURENESS[own.confidence] if own.confidence else "not computable"
    answer.say("confidence", sureness, confidence=own.confidence.value if own.confidence else None)
    answer.say("engine", str(engine), engine=engine)


def _say_margins(answer: Answer, found: Opened) -> None:
    position = found.position
    currency = position.currency
    worth = abs(position.cost_sat)
    answer.say("worth at entry", amount_text(worth, currency), worth_sat=worth, currency=currency)
    assigned = amount_text(position.margin_sat, currency)
    parts = f"initial {amount_text(position.initial_margin_sat, currency)}, "
    parts += f"fee reserve {amount_text(position.fee_reserve_sat, currency)}"
    answer.say(
        "margin",
        f"{assigned}  (maintenance alone)" if position.is_cross else f"{assigned}  ({parts})",
        margin_sat=position.margin_sat,
        initial_margin_sat=position.initial_margin_sat,
        fee_reserve_sat=position.fee_reserve_sat,
    )
    answer.say(
        "maintenance",
        amount_text(position.maintenance_sat, currency),
        maintenance_sat=position.maintenance_sat,
        risk_limit_steps=found.risk_steps,
    )


def _say_funding(answer: Answer, found: Opened, side: Side) -> None:
    """Show the price without the funding that is still to be charged: it counts as maintenance against the payer."""
    rate = found.instrument.funding_rate
    without = _without_funding(found)
    with_it = own_price(found.position, found.instrument, found.margin).price
    payer = "this position pays" if rate * side.sign > 0 else "this position receives"
    text = (
        "no rate given"
        if rate == 0
        else f"{price_text(without, none='none in range')} ({plain(rate * 100)} %: {payer})"
    )
    if with_it is not None and without is not None and with_it != without:
        ticks = abs(with_it - without) / found.instrument.tick_size
        text += f"; funding brings it {plain(ticks)} ticks nearer"
    answer.say("without funding", text, price_without_funding=decimal_or_none(without), funding_rate=rate)


def _without_funding(found: Opened) -> Decimal | None:
    instrument = replace(found.instrument, funding_rate=ZERO)
    position, margin = _recomputed(found.position, instrument, found)
    return own_price(position, instrument, margin).price


def _recomputed(position: Position, instrument: Instrument, found: Opened) -> tuple[Position, Margin]:
    """Return the rows under other contract figures: only the maintenance depends on them."""
    if not position.maintenance_sat:
        return position, found.margin
    needed = computed_maintenance_sat(position, instrument)
    held = replace(position, maintenance_sat=needed)
    if position.is_cross:
        held = replace(held, margin_sat=needed, locked_sat=needed)
    return held, consistent_margin(found.margin, [held])


def _say_moves(answer: Answer, found: Opened) -> None:
    position, margin = found.position, found.margin
    moves: dict[str, object] = {}
    if position.is_cross:
        more = max(1, margin.wallet_balance_sat // 10)
        richer = replace(
            margin,
            wallet_balance_sat=margin.wallet_balance_sat + more,
            margin_balance_sat=margin.margin_balance_sat + more,
        )
        price = own_price(position, found.instrument, richer).price
        label = f"with {amount_text(more, position.currency)} more in the wallet"
    else:
        more = max(1, position.margin_sat // 10)
        added = margin_added(position, found.instrument, margin, more)
        price = own_price(added[0], found.instrument, added[1]).price if added else None
        label = f"with {amount_text(more, position.currency)} more margin"
    moves["margin_added_sat"] = more
    moves["liquidation_price"] = decimal_or_none(price)
    answer.say("what moves it", f"{label}: {price_text(price, none='none in range')}", with_more_margin=moves)


def _warn(answer: Answer, contract: Contract, found: Opened, side: Side) -> None:
    price = own_price(found.position, found.instrument, found.margin).price
    base = contract.mark if contract.mark is not None else found.position.entry_price
    if price is not None and base is not None and (price >= base if side is Side.LONG else price <= base):
        answer.warnings.append("at this mark the position is liquidated already")
    if found.risk_steps:
        answer.notes.append(
            f"this size needs a risk limit {found.risk_steps} steps above the base: margin ratios "
            f"{plain(found.instrument.initial_margin_ratio * 100)} % and "
            f"{plain(found.instrument.maintenance_margin_ratio * 100)} %"
        )
    if found.position.is_cross and found.margin.wallet_balance_sat < found.opening_margin_sat:
        answer.warnings.append("the balance is below the initial margin: the exchange would not open this position")
