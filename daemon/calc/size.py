"""`seawall calc size`: how many contracts a risk allows, given an entry and a stop."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import Final

from config.policy import StopPolicy
from connectors.vocabulary import ZERO, Instrument, Side
from daemon.calc.answer import Answer, decimal_or_none, write_answer
from daemon.calc.contract import Contract, contract_of
from daemon.calc.numbers import amount_text, percent_of, percent_text, plain, price_text
from daemon.calc.opened import Backing, Cross, Leverage, Opened, opened
from daemon.calc.shared import backing_text, money, say_source, side_of
from daemon.calc.trade import Trade, closed_at, first
from daemon.core.margin.contracts import value_sat
from daemon.core.margin.costs import worse_price
from daemon.core.margin.own_liquidation import own_bankruptcy_price, own_price
from daemon.exit_codes import CommandFailed, ExitCode

_UP: Final = Context(prec=60, rounding=ROUND_CEILING)
_HUNDREDTH: Final = Decimal("0.01")
_PERCENT: Final = Decimal(100)
_MOST_CONTRACTS: Final = 10**15


@dataclass(frozen=True, kw_only=True, slots=True)
class Idea:
    """A trade whose size is still open."""

    instrument: Instrument
    side: Side
    entry: Decimal
    stop: Decimal
    fill: Decimal
    """Where the stop is filled once it slipped."""
    entry_rate: Decimal
    exit_rate: Decimal

    def loss_sat(self, contracts: int) -> int:
        """Return what so many contracts lose from the entry to the fill of the stop, both fees included."""
        trade = Trade(
            instrument=self.instrument,
            side=self.side,
            contracts=contracts,
            entry=self.entry,
            entry_rate=self.entry_rate,
            exit_rate=self.exit_rate,
        )
        return -closed_at(trade, self.fill).net_sat


def calc_size(options: argparse.Namespace) -> int:
    """Answer `calc size`."""
    write_answer(answer_size(options), as_json=options.as_json)
    return ExitCode.OK


def answer_size(options: argparse.Namespace) -> Answer:
    """Return the largest size whose loss at the stop, fees and slippage included, is within the risk.

    Raises:
        CommandFailed: If entry and stop do not fit the side, or the risk does not pay for one lot.
    """
    contract = contract_of(options)
    idea = _idea(options, contract)
    currency = idea.instrument.settlement_currency
    equity = money(options.equity, currency, "--equity")
    risk = _risk(options, equity, currency)
    contracts = largest(idea, risk)
    if not contracts:
        lot = idea.instrument.lot_size
        text = f"{amount_text(risk, currency)} does not pay for one lot of {lot:,} contracts"
        least = amount_text(idea.loss_sat(lot), currency)
        flag = "--risk" if options.risk is not None else "--risk-percent"
        raise CommandFailed(f"{flag}: {text}, which loses {least} at this stop", ExitCode.USAGE)
    answer = Answer(
        title=f"{idea.instrument.symbol} {idea.side.value} from {price_text(idea.entry)}, "
        f"stop {price_text(idea.stop)}, risking {amount_text(risk, currency)}"
    )
    _say_size(answer, idea, contracts, equity=equity, risk=risk)
    _say_liquidation(answer, idea, contracts, leverage=options.leverage, equity=equity)
    say_source(answer, contract)
    return answer


def largest(idea: Idea, risk_sat: int) -> int:
    """Return the most contracts, whole lots, that lose at most `risk_sat`; 0 if one lot loses more."""
    lot = idea.instrument.lot_size
    most = max(1, _MOST_CONTRACTS // lot)
    beyond = first(lambda lots: idea.loss_sat(lots * lot) > risk_sat, 1, most)
    return (most if beyond is None else beyond - 1) * lot


def _idea(options: argparse.Namespace, contract: Contract) -> Idea:
    """A stop always pays the taker fee. Rebates do not raise a size."""
    instrument, side = contract.instrument, _side(options)
    entry_fee = instrument.maker_fee if options.entry_fee == "maker" else instrument.taker_fee
    return Idea(
        instrument=instrument,
        side=side,
        entry=options.entry,
        stop=options.stop,
        fill=worse_price(options.stop, side, options.slippage),
        entry_rate=max(ZERO, entry_fee),
        exit_rate=max(ZERO, instrument.taker_fee),
    )


def _side(options: argparse.Namespace) -> Side:
    """The side follows from entry and stop; a typed one has to agree."""
    if options.stop == options.entry:
        raise CommandFailed("--stop must differ from --entry", ExitCode.USAGE)
    side = Side.LONG if options.stop < options.entry else Side.SHORT
    if options.side is not None and side_of(options) is not side:
        where = "below" if options.side == "long" else "above"
        raise CommandFailed(f"--stop of a {options.side} must lie {where} its --entry", ExitCode.USAGE)
    return side


def _risk(options: argparse.Namespace, equity: int, currency: str) -> int:
    if options.risk is not None:
        risk = money(options.risk, currency, "--risk")
        if risk > equity:
            raise CommandFailed("--risk is more than --equity", ExitCode.USAGE)
        return risk
    numerator, denominator = options.risk_percent.as_integer_ratio()
    return int(equity * numerator // (denominator * 100))


def _say_size(answer: Answer, idea: Idea, contracts: int, *, equity: int, risk: int) -> None:
    currency = idea.instrument.settlement_currency
    worth = abs(value_sat(idea.instrument, contracts, idea.entry))
    loss = idea.loss_sat(contracts)
    answer.say("size", f"{contracts:,} contracts, worth {amount_text(worth, currency)}", contracts=contracts)
    answer.say(
        "lost at the stop",
        f"{amount_text(loss, currency)}  ({percent_text(percent_of(loss, equity))} of the equity; "
        f"filled at {price_text(idea.fill)}, both fees included)",
        loss_sat=loss,
        loss_percent=percent_of(loss, equity),
        fill_price=decimal_or_none(idea.fill),
    )
    times = _UP.divide(Decimal(worth), Decimal(equity)).quantize(_HUNDREDTH, rounding=ROUND_CEILING, context=_UP)
    answer.say("leverage needed", f"{plain(times)}x of the equity", leverage_needed=times)
    answer.fields.update(side=idea.side.value, worth_sat=worth, currency=currency, equity_sat=equity, risk_sat=risk)
    most = idea.instrument.max_order_quantity
    if contracts > most:
        answer.notes.append(f"one order takes {most:,} contracts at most: send several")


def _say_liquidation(answer: Answer, idea: Idea, contracts: int, *, leverage: Decimal | None, equity: int) -> None:
    backing: Backing = Cross(balance_sat=equity) if leverage is None else Leverage(leverage=leverage)
    found = opened(idea.instrument, idea.side, contracts, entry=idea.entry, backing=backing)
    price = own_price(found.position, found.instrument, found.margin).price
    answer.say(
        "liquidation",
        f"{price_text(price, none='none in range')}  ({backing_text(backing, idea.instrument)})",
        liquidation_price=decimal_or_none(price),
        bankruptcy_price=decimal_or_none(own_bankruptcy_price(found.position, found.instrument, found.margin)),
    )
    if found.opening_margin_sat > equity:
        answer.warnings.append("the equity does not pay the initial margin: the exchange would refuse the order")
    _warn_of_liquidation(answer, idea, price, found)


def _warn_of_liquidation(answer: Answer, idea: Idea, liquidation: Decimal | None, found: Opened) -> None:
    if liquidation is None:
        return
    percent = StopPolicy().floor_percent
    room = (idea.stop - liquidation) * idea.side.sign
    if room <= 0:
        answer.warnings.append(
            "the stop lies beyond the liquidation price: the position would be taken before it fires"
        )
    elif room < liquidation * percent / _PERCENT:
        answer.warnings.append(
            f"the stop lies within {plain(percent)} % of the liquidation price: liquidation may cancel it first"
        )
    if found.risk_steps:
        answer.notes.append(f"this size needs a risk limit {found.risk_steps} steps above the base")
