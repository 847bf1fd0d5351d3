"""`seawall calc funding`: what holding a position costs, a payment, a day and a year."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from connectors.vocabulary import Instrument
from daemon.calc.answer import Answer, decimal_or_none, write_answer
from daemon.calc.contract import Contract, contract_of
from daemon.calc.numbers import amount_text, percent_of, percent_text, plain, price_text
from daemon.calc.opened import Leverage, opened
from daemon.calc.shared import say_source, side_of
from daemon.core.margin.contracts import value_sat
from daemon.core.margin.costs import DAY_NS, USUAL_FUNDING_INTERVAL_NS, funding_cost_a_day_sat, funding_payment_sat
from daemon.exit_codes import CommandFailed, ExitCode

_HOUR_NS = 3_600 * 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def calc_funding(options: argparse.Namespace) -> int:
    """Answer `calc funding`."""
    write_answer(answer_funding(options), as_json=options.as_json)
    return ExitCode.OK


def answer_funding(options: argparse.Namespace) -> Answer:
    """Return what funding costs at the rate and mark given.

    Raises:
        CommandFailed: If rate or price are missing.
    """
    contract = contract_of(options)
    instrument = contract.instrument
    if instrument.expires_ns:
        raise CommandFailed(f"{instrument.symbol} is a dated contract: it has no funding", ExitCode.USAGE)
    if options.funding_rate is None and instrument.funding_at_ns == 0 and instrument.funding_rate == 0:
        raise CommandFailed(f"--funding-rate is missing: {contract.source} names none", ExitCode.USAGE)
    if contract.mark is None:
        raise CommandFailed(f"--mark is missing: {contract.source} names none", ExitCode.USAGE)
    side = side_of(options)
    quantity = side.sign * options.contracts
    payment = funding_payment_sat(instrument, quantity, contract.mark)
    a_day = funding_cost_a_day_sat(instrument, quantity, contract.mark)
    worth = abs(value_sat(instrument, quantity, contract.mark))
    answer = Answer(
        title=f"{instrument.symbol} {side.value} {options.contracts:,} at {price_text(contract.mark)}, "
        f"rate {plain(instrument.funding_rate * 100)} %"
    )
    answer.fields.update(currency=instrument.settlement_currency, worth_sat=worth, funding_rate=instrument.funding_rate)
    margin = _margin(options, contract)
    for label, name, amount in (
        ("each payment", "payment", payment),
        ("a day", "a_day", a_day),
        ("a year", "a_year", 365 * a_day),
    ):
        answer.say(label, _cost_text(amount, worth, margin, instrument), **{f"{name}_sat": amount})
        shares = {"worth": percent_of(amount, worth), "margin": percent_of(amount, margin)}
        answer.fields.update({f"{name}_percent_of_{whole}": part for whole, part in shares.items()})
    answer.fields.update(mark_price=decimal_or_none(contract.mark), margin_sat=margin)
    _say_schedule(answer, instrument)
    say_source(answer, contract)
    answer.notes.append("rate and price stay as they are only until the next stamp: a day and a year are an outlook")
    return answer


def _cost_text(amount: int, worth: int, margin: int, instrument: Instrument) -> str:
    word = "nothing" if amount == 0 else "paid" if amount > 0 else "received"
    shares = [f"{percent_text(percent_of(abs(amount), worth))} of the worth"]
    if margin:
        shares.append(f"{percent_text(percent_of(abs(amount), margin))} of the margin")
    return f"{amount_text(abs(amount), instrument.settlement_currency)} {word}  ({', '.join(shares)})"


def _margin(options: argparse.Namespace, contract: Contract) -> int:
    """The initial margin at the leverage, worth at the mark; 0 where no leverage is given."""
    if options.leverage is None or contract.mark is None:
        return 0
    backing = Leverage(leverage=options.leverage)
    found = opened(contract.instrument, side_of(options), options.contracts, entry=contract.mark, backing=backing)
    return found.position.initial_margin_sat


def _say_schedule(answer: Answer, instrument: Instrument) -> None:
    interval = instrument.funding_interval_ns or USUAL_FUNDING_INTERVAL_NS
    told = "" if instrument.funding_interval_ns else " (the usual: the contract's own is not known)"
    hours = Decimal(interval) / _HOUR_NS
    answer.say(
        "every",
        f"{plain(hours)} hours{told}, {plain(Decimal(DAY_NS) / interval)} times a day",
        interval_hours=hours,
    )
    stamp = None
    if instrument.funding_at_ns:
        moment = _EPOCH + timedelta(microseconds=instrument.funding_at_ns // 1000)
        stamp = moment.isoformat().replace("+00:00", "Z")
        answer.say("next stamp", stamp)
    answer.fields["next_stamp"] = stamp
