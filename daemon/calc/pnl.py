"""`seawall calc pnl` and `target`: what a trade leaves after its costs, and the exit price for a wanted result."""

from __future__ import annotations

import argparse
from dataclasses import replace
from decimal import ROUND_CEILING, Context, Decimal
from typing import Final

from connectors.vocabulary import Instrument
from daemon.calc.answer import Answer, decimal_or_none, write_answer
from daemon.calc.contract import Contract, contract_of
from daemon.calc.numbers import amount_text, currency_name, decimals, percent_of, percent_text, plain, price_text
from daemon.calc.opened import Leverage, opened
from daemon.calc.shared import money, note_part_of_a_lot, say_source, side_of
from daemon.calc.trade import Outcome, Trade, closed_at, price_for
from daemon.core.margin.costs import USUAL_FUNDING_INTERVAL_NS, funding_payment_sat
from daemon.exit_codes import CommandFailed, ExitCode

_UP: Final = Context(prec=60, rounding=ROUND_CEILING)
_HOUR_NS: Final = 3_600 * 10**9
_HUNDREDTH_OF_A_BP: Final = Decimal("0.0001")


def calc_pnl(options: argparse.Namespace) -> int:
    """Answer `calc pnl`."""
    write_answer(answer_pnl(options), as_json=options.as_json)
    return ExitCode.OK


def calc_target(options: argparse.Namespace) -> int:
    """Answer `calc target`."""
    write_answer(answer_target(options), as_json=options.as_json)
    return ExitCode.OK


def answer_pnl(options: argparse.Namespace) -> Answer:
    """Return what a trade from entry to exit leaves.

    Raises:
        CommandFailed: If the options contradict each other.
    """
    contract = contract_of(options)
    trade = trade_of(options, contract)
    margin = margin_sat(trade, options.leverage)
    outcome = closed_at(trade, options.exit)
    answer = Answer(title=_title(trade, f"to {price_text(options.exit)}"))
    _say_outcome(answer, trade, outcome, margin, options.xbt_price)
    _say_break_even(answer, trade)
    say_source(answer, contract)
    _note_what_is_left_out(answer, options, contract)
    return answer


def answer_target(options: argparse.Namespace) -> Answer:
    """Return the exit price for a wanted return on margin or amount of profit.

    Raises:
        CommandFailed: If the options contradict each other, or no price in the contract's range gives as much.
    """
    contract = contract_of(options)
    trade = trade_of(options, contract)
    margin = margin_sat(trade, options.leverage)
    goal = _goal(options, contract, margin)
    price = price_for(trade, goal)
    if price is None:
        flag = "--profit" if options.profit is not None else "--return-percent"
        text = f"{flag}: no price up to {plain(contract.instrument.max_price)} gives as much"
        raise CommandFailed(text, ExitCode.USAGE)
    outcome = closed_at(trade, price)
    answer = Answer(title=_title(trade, f"for {amount_text(goal, contract.instrument.settlement_currency)}"))
    move = (price - trade.entry) / trade.entry * 100
    answer.say(
        "exit price",
        f"{price_text(price)}  ({percent_text(move, signed=True)} from the entry)",
        exit_price=decimal_or_none(price),
        exit_percent=move.quantize(_HUNDREDTH_OF_A_BP),
        goal_sat=goal,
    )
    _say_outcome(answer, trade, outcome, margin, options.xbt_price)
    _say_break_even(answer, trade)
    say_source(answer, contract)
    _note_what_is_left_out(answer, options, contract)
    return answer


def trade_of(options: argparse.Namespace, contract: Contract) -> Trade:
    """Return the trade that the options describe, funding of the time held included."""
    instrument = contract.instrument
    rates = {"maker": instrument.maker_fee, "taker": instrument.taker_fee}
    trade = Trade(
        instrument=instrument,
        side=side_of(options),
        contracts=options.contracts,
        entry=options.entry,
        entry_rate=rates[options.entry_fee],
        exit_rate=rates[options.exit_fee],
    )
    return replace(trade, funding_sat=_funding(trade, options.hours))


def _note_what_is_left_out(answer: Answer, options: argparse.Namespace, contract: Contract) -> None:
    """Hours without a rate would show a cost of nothing, which nobody means."""
    instrument = contract.instrument
    note_part_of_a_lot(answer, instrument, options.contracts)
    is_known = options.funding_rate is not None or instrument.funding_rate != 0 or instrument.funding_at_ns != 0
    if options.hours and not is_known and not instrument.expires_ns:
        answer.warnings.append(f"--hours costs nothing without --funding-rate: {contract.source} names no rate")


def _funding(trade: Trade, hours: Decimal | None) -> int:
    """What the stamps within the hours held take, at the rate in force and the entry price."""
    if hours is None or hours == 0:
        return 0
    interval = trade.instrument.funding_interval_ns or USUAL_FUNDING_INTERVAL_NS
    stamps = int(hours * _HOUR_NS // interval)
    return stamps * funding_payment_sat(trade.instrument, trade.quantity, trade.entry)


def margin_sat(trade: Trade, leverage: Decimal) -> int:
    """Return the initial margin at a leverage, fee reserve left out: what a return is measured by."""
    backing = Leverage(leverage=leverage)
    found = opened(trade.instrument, trade.side, trade.contracts, entry=trade.entry, backing=backing)
    return found.position.initial_margin_sat


def _goal(options: argparse.Namespace, contract: Contract, margin: int) -> int:
    if options.profit is not None:
        return money(options.profit, contract.instrument.settlement_currency, "--profit")
    return int(_UP.to_integral_value(_UP.divide(_UP.multiply(Decimal(margin), options.return_percent), Decimal(100))))


def _title(trade: Trade, what: str) -> str:
    return f"{trade.instrument.symbol} {trade.side.value} {trade.contracts:,} from {price_text(trade.entry)} {what}"


def _say_outcome(answer: Answer, trade: Trade, outcome: Outcome, margin: int, xbt_price: Decimal | None) -> None:
    currency = trade.instrument.settlement_currency
    answer.say(
        "profit",
        amount_text(outcome.gross_sat, currency, signed=True),
        gross_sat=outcome.gross_sat,
        currency=currency,
    )
    fees = outcome.entry_fee_sat + outcome.exit_fee_sat
    parts = f"entry {amount_text(outcome.entry_fee_sat, currency)}, exit {amount_text(outcome.exit_fee_sat, currency)}"
    answer.say(
        "fees",
        f"{amount_text(-fees, currency, signed=True)}  ({parts})",
        entry_fee_sat=outcome.entry_fee_sat,
        exit_fee_sat=outcome.exit_fee_sat,
    )
    answer.say("funding", amount_text(-outcome.funding_sat, currency, signed=True), funding_sat=outcome.funding_sat)
    dollars = in_dollars(outcome.net_sat, trade.instrument, outcome.price, xbt_price)
    more = "" if dollars is None else f"  ({dollars:+,.2f} USD)"
    answer.say(
        "left", amount_text(outcome.net_sat, currency, signed=True) + more, net_sat=outcome.net_sat, net_usd=dollars
    )
    back = percent_of(outcome.net_sat, margin)
    answer.say(
        "return on margin",
        f"{percent_text(back, signed=True)} of {amount_text(margin, currency)}",
        return_percent=back,
        margin_sat=margin,
    )
    if outcome.price > trade.instrument.max_price:
        answer.warnings.append("the exit price is beyond the contract's highest price")


def in_dollars(amount: int, instrument: Instrument, price: Decimal, xbt_price: Decimal | None) -> Decimal | None:
    """Return an amount in dollars, two decimals; None where no price of the settlement currency is known.

    A dollar coin counts as a dollar. Bitcoin needs a price: that of an inverse contract is one, for others it is typed.
    """
    currency = instrument.settlement_currency
    whole = Decimal(amount).scaleb(-decimals(currency))
    if currency_name(currency) in {"USDT", "USDC"}:
        return whole.quantize(Decimal("0.01"))
    is_own_price = instrument.multiplier < 0 and instrument.symbol.startswith(("XBTUSD", "CONTRACT"))
    rate = xbt_price if xbt_price is not None else price if is_own_price else None
    return (
        None
        if rate is None or currency != "XBt"
        else Context(prec=60).multiply(whole, rate).quantize(Decimal("0.01"), context=Context(prec=60))
    )


def _say_break_even(answer: Answer, trade: Trade) -> None:
    price = price_for(trade, 0)
    percent = None if price is None else ((price - trade.entry) / trade.entry * 100).quantize(_HUNDREDTH_OF_A_BP)
    away = "" if percent is None else f"  ({percent_text(percent, signed=True)})"
    answer.say(
        "break-even exit",
        price_text(price, none="none in range") + away,
        break_even_price=decimal_or_none(price),
        break_even_percent=percent,
    )
