"""One run on a stage: open the positions, let the tape run, watch, and write down what was seen.

Positions are opened at the first candle while the tape stands, and the tape runs from the moment the last of them is
filled: nobody waits for the guard.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TypeVar

import httpx

from connectors.simulated.tape.market import MARK_SOURCE
from connectors.vocabulary import Instrument
from daemon.demo import gather
from daemon.demo.bot import Bot
from daemon.demo.children import ChildFailed
from daemon.demo.plan import POSITIONS, QUOTING_SYMBOL, PlannedPosition, quantity_for
from daemon.demo.programme import Programme
from daemon.demo.record import AccountRecord, HeldPosition, RunRecord
from daemon.demo.scene import snapshot_of
from daemon.demo.screen import Screen
from daemon.demo.stage import GUARDING, Stage
from daemon.demo.tape_control import Row

READ_EVERY_S = 0.1
AWAY_WITHIN_S = 20.0
"""How long the exchange may be away (killed, and started again by us) before the demo gives up."""
QUIET_S = 1.0
SETTLE_WITHIN_S = 6.0
"""After the last candle: until nothing new has happened for QUIET_S, at most this long."""
CRAWL = 0.02
"""Pace of the tape while the guard's process is away: to start again takes it about a second of real time, and that
must not be a quarter of an hour of history."""
MOST_CRAWL_S = 15.0
"""A guard that is away for longer gets no more favours."""
STARTING = frozenset({"waiting_for_venue", "starting", "syncing"})
XBT_SYMBOL = "XBTUSD"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What both accounts look like once the bots have done their work."""

    equity: dict[str, int]
    positions: tuple[HeldPosition, ...]


async def play(stage: Stage, programme: Programme, screen: Screen) -> RunRecord:
    """Play the tape once and return everything that was seen.

    Raises:
        ChildFailed: If the exchange stays away.
        BotRefused: If it refuses a position.
    """
    started_s = time.monotonic()
    opening = await _open(stage)
    screen.say("both accounts hold " + ", ".join(position.title for position in opening.positions))
    await patient(stage.tape.play)
    await _watch(stage, programme, opening, screen)
    await _settle(stage)
    ending = {bot.name: await _equity(stage, bot) for bot in (stage.guarded, stage.unguarded)}
    screen.show(snapshot_of(stage, programme, opening.positions, await stage.guard_status(), equity=ending))
    return _record(stage, programme, opening, ending, seconds=time.monotonic() - started_s)


async def _watch(stage: Stage, programme: Programme, opening: Opening, screen: Screen) -> None:
    """Show the tape until its end, and let it crawl while a killed guard is being started again."""
    crawl_until_s = 0.0
    while True:
        tape = await patient(stage.tape.read)
        status = await stage.guard_status()
        screen.show(snapshot_of(stage, programme, opening.positions, status))
        if tape.has_ended:
            return
        now_s = time.monotonic()
        if status is not None and status.get("mode") == GUARDING:
            crawl_until_s = now_s + MOST_CRAWL_S
        await patient(partial(stage.tape.run_at, CRAWL if _is_away(status) and now_s < crawl_until_s else 1.0))
        await asyncio.sleep(READ_EVERY_S)


def _is_away(status: dict[str, object] | None) -> bool:
    return status is None or status.get("mode") in STARTING


async def patient(request: Callable[[], Awaitable[T]]) -> T:
    """Repeat a request for as long as the exchange is away; it may be killed at any moment.

    Raises:
        ChildFailed: If it stays away for AWAY_WITHIN_S.
    """
    last: Exception | None = None
    try:
        async with asyncio.timeout(AWAY_WITHIN_S):
            while True:
                try:
                    return await request()
                except httpx.TransportError as error:
                    last = error
                await asyncio.sleep(READ_EVERY_S)
    except TimeoutError:
        raise ChildFailed(f"the exchange was away for {AWAY_WITHIN_S:.0f} s; see exchange.log") from last


async def _open(stage: Stage) -> Opening:
    """Let both bots open the same positions at the first candle."""
    await patient(stage.tape.read)
    marks = {symbol: Decimal(str(mark)) for symbol, mark in stage.tape.prices[-1].mark.items()}
    instruments = {one.symbol: one for one in await patient(stage.guarded.instruments)}
    equity = {bot.name: await _equity(stage, bot) for bot in (stage.guarded, stage.unguarded)}
    for bot in (stage.guarded, stage.unguarded):
        await _open_all(bot, instruments, marks)
    await patient(stage.tape.read)
    positions = [await _held(stage, plan) for plan in POSITIONS]
    return Opening(equity=equity, positions=tuple(positions))


async def _open_all(bot: Bot, instruments: dict[str, Instrument], marks: dict[str, Decimal]) -> None:
    wallets = {str(row["currency"]): int(str(row["walletBalance"])) for row in await patient(bot.margins)}
    far = instruments[QUOTING_SYMBOL]
    await patient(lambda: bot.quote_far_away(far, marks[QUOTING_SYMBOL]))
    for plan in POSITIONS:
        instrument = instruments[plan.symbol]
        wallet_sat = wallets[instrument.settlement_currency]
        quantity = quantity_for(plan, instrument, wallet_sat=wallet_sat, mark_price=marks[plan.symbol])
        await patient(lambda plan=plan, quantity=quantity: bot.open_position(plan, quantity))  # type: ignore[misc]


async def _held(stage: Stage, plan: PlannedPosition) -> HeldPosition:
    rows = {str(row["symbol"]): row for row in await patient(stage.guarded.positions)}
    opening = next(
        event
        for event in stage.tape.events
        if event.kind == "fill" and event.account == stage.guarded.account and event.row["symbol"] == plan.symbol
    )
    clock = gather.TapeClock.of(stage.tape.prices)
    return gather.held_position(plan, rows[plan.symbol], opening, clock)


async def _settle(stage: Stage) -> None:
    """Wait until what the last prices set off has arrived."""
    quiet_since, seen = time.monotonic(), -1
    deadline = quiet_since + SETTLE_WITHIN_S
    while time.monotonic() < min(deadline, quiet_since + QUIET_S):
        await patient(stage.tape.read)
        news = len(stage.tape.events) + len(stage.alerts.alerts)
        if news != seen:
            quiet_since, seen = time.monotonic(), news
        await asyncio.sleep(READ_EVERY_S)


async def _equity(stage: Stage, bot: Bot) -> int:
    margins: list[Row] = await patient(bot.margins)
    return gather.equity_sat(margins, Decimal(str(stage.tape.prices[-1].mark[XBT_SYMBOL])))


def _record(
    stage: Stage, programme: Programme, opening: Opening, ending: dict[str, int], *, seconds: float
) -> RunRecord:
    tape, alerts = stage.tape, stage.alerts.alerts
    clock = gather.TapeClock.of(tape.prices)

    def account(bot: Bot) -> AccountRecord:
        return AccountRecord(
            name=bot.name,
            account=bot.account,
            equity_start_sat=opening.equity[bot.name],
            equity_end_sat=ending[bot.name],
            exits=gather.exits(tape.events, bot.account),
        )

    return RunRecord(
        source=programme.title,
        mark_source=MARK_SOURCE,
        tape_start_ms=tape.prices[0].tape_ms,
        tape_end_ms=tape.prices[-1].tape_ms,
        seconds=seconds,
        guarded=account(stage.guarded),
        unguarded=account(stage.unguarded),
        positions=opening.positions,
        stops=gather.stop_facts(
            tape.events,
            stage.guarded.account,
            gather.confirmations(alerts),
            clock,
            was_restarted=stage.daemon.restarts > 0,
        ),
        alerts=gather.alert_facts(alerts, clock),
        prices={position.symbol: gather.price_points(tape.prices, position.symbol) for position in opening.positions},
        unsafe=gather.unsafe_orders(tape.events, stage.guarded.account),
        restarts={child.name: child.restarts for child in (stage.exchange, stage.daemon)},
    )
