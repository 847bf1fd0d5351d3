"""The promises, checked against what happens at the exchange, after every change and every decision.

Why: a promise that only its keeper checks is worth little. Nothing here uses the guard's own reasoning: orders and
positions are read off the exchange, and of the guard only its events and commands are seen. Each violation names its
promise (see docs/promises.md).

Units: seconds of virtual time, prices `Decimal`, quantities contracts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf

from config.policy import SwitchMode
from connectors.ports import Feed
from connectors.simulated.engine.changes import Change, Row
from connectors.simulated.engine.exchange import Exchange
from connectors.vocabulary import Order, OrderSide
from daemon.core.commands import AmendStop, Command, FeedSwitch, FindOrders, PlaceStop, RaiseAlert, ReduceAtMarket
from daemon.core.events import (
    Event,
    ExecutionSeen,
    HealthTicked,
    OperatorAsked,
    OrdersFound,
    PictureRead,
    RequestRefused,
    RequestUnanswered,
    Started,
)
from daemon.core.operator_requests import SetStop
from tests.simulation.guard_life import SimGuard, Witness
from tests.simulation.latch_rules import latched_cancel_faults, note_latch
from tests.simulation.requests import Sent
from tests.simulation.rule_promises import RulePromises
from tests.simulation.sightings import Seen, Unknown, is_correction, orders_of, series
from tests.simulation.stop_rows import is_before_liquidation, is_resting_stop, protects

OURS = "sw-"
WHOLE_AGAIN_S = 12.0
"""P2: so long after the last fault or interference every position is covered."""
TWO_STOPS_S = 30.0
"""P4: a replacement is over after this long. A stop is cleared on the stream's word, and a reconnect may take 15 s."""
SETTLED_S = 5.0
"""A position that has stood so long is known to a guard that sees."""
STORM = 200
"""P8: more commands than this from one guard within a second of virtual time are an endless loop."""
SENTINELS = (Decimal(0), Decimal(1_000_000), Decimal(100_000_000))

Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken."""

    promise: str
    at_s: float
    text: str

    def __str__(self) -> str:
        return f"{self.promise} at {self.at_s:.3f} s: {self.text}"


def _decimal(value: object) -> Decimal | None:
    return None if value is None or value == "" else Decimal(str(value))


class StormError(Exception):
    """A guard asks for the same thing without end; time would not go on."""


class Promises(Witness):
    """Checks, and remembers what did not hold."""

    def __init__(self, exchange: Exchange, now_s: Callable[[], float]) -> None:
        self._exchange = exchange
        self._now_s = now_s
        self.violations: list[Violation] = []
        self.counts: Counter[str] = Counter()
        self.orders: dict[str, Row] = {}
        """Open orders of everybody."""
        self._owners: dict[str, str] = {}
        self._sizes: dict[Key, int] = {}
        self._since_s: dict[Key, float] = {}
        self._episode_s: dict[Key, float] = {}
        self._placed_s: dict[str, float] = {}
        self._uncovered_s: dict[Key, float] = {}
        self._two_since_s: dict[Key, float] = {}
        self._seen: dict[str, Seen] = {}
        self._accounts: frozenset[int] | None = None
        self.rules = RulePromises(exchange, now_s, self.broken)
        self.quiet_since_s = 0.0
        """When the last fault or interference ended; infinity while one lasts."""

    def broken(self, promise: str, text: str) -> None:
        """Note that a promise does not hold."""
        self.violations.append(Violation(promise, self._now_s(), text))

    def only(self, account: int) -> None:
        """Judge one account alone: the others have no guard."""
        self._accounts = frozenset({account})

    def _is_judged(self, account: object) -> bool:
        return self._accounts is None or account in self._accounts

    def disturb(self) -> None:
        """Something happened that the guard needs time to answer."""
        self.quiet_since_s = max(self.quiet_since_s, self._now_s())

    def size(self, key: Key) -> int:
        """Signed contracts."""
        return self._sizes.get(key, 0)

    # ------------------------------------------------------------ the exchange

    def watch(self, changes: Sequence[Change]) -> None:
        """Look at what just changed."""
        for change in changes:
            if change.table in {"execution", "order"}:
                self.rules.note_change()
            match change.table:
                case "execution":
                    self._take_execution(change.row)
                case "order":
                    self._take_order(change.row)
                case "position" if not change.is_refresh:
                    self._take_position(change.row)
                case _:
                    pass

    def _take_execution(self, row: Row) -> None:
        if row["execType"] not in {"Trade", "Liquidation"} or not row["lastQty"]:
            return
        key = (int(str(row["account"])), str(row["symbol"]))
        before = self.size(key)
        traded = int(str(row["lastQty"])) * (1 if row["side"] == "Buy" else -1)
        after = before + traded
        ours = str(row["clOrdID"]).startswith(OURS)
        if ours and (abs(after) > abs(before) or before * after < 0):
            self.broken("P1", f"our order {row['clOrdID']} took {key[1]} from {before} to {after}")
        if str(row["text"]).startswith("Liquidation"):
            self._take_liquidation(key, before)
        if ours:
            self.counts["our fills"] += 1
        self._resize(key, after)

    def _take_liquidation(self, key: Key, before: int) -> None:
        self.counts["liquidations"] += 1
        calm_since_s = max(self.quiet_since_s, self._since_s.get(key, 0.0))
        if self._is_judged(key[0]) and self._now_s() - calm_since_s > WHOLE_AGAIN_S:
            self.broken("P2", f"{key[1]} ({before}) was liquidated although the guard could see and act")

    def _resize(self, key: Key, after: int) -> None:
        before = self._sizes.get(key, 0)
        if before == after:
            return
        self._sizes[key] = after
        self._since_s[key] = self._now_s()
        if after == 0 or before * after <= 0:
            self._episode_s[key] = self._now_s()
            for seen in self._seen.values():
                seen.tightest.pop(key[1], None)
                seen.loosened.pop(key[1], None)

    def _take_position(self, row: Row) -> None:
        self._resize((int(str(row["account"])), str(row["symbol"])), int(str(row["currentQty"] or 0)))

    def _take_order(self, row: Row) -> None:
        order_id = str(row["orderID"])
        self._owners[order_id] = str(row["clOrdID"])
        if order_id not in self._placed_s:
            self._placed_s[order_id] = self._now_s()
        if row["ordStatus"] in {"Filled", "Canceled", "Rejected"}:
            self.orders.pop(order_id, None)
        else:
            self.orders[order_id] = row
        if str(row["clOrdID"]).startswith(OURS):
            self._count_stops((int(str(row["account"])), str(row["symbol"])))

    def our_stops(self, key: Key) -> list[Row]:
        """Our resting stops of one position."""
        return [
            row
            for row in self.orders.values()
            if (row["account"], row["symbol"]) == key and str(row["clOrdID"]).startswith(OURS) and is_resting_stop(row)
        ]

    def _count_stops(self, key: Key) -> None:
        stops = self.our_stops(key)
        self.counts["most stops at once"] = max(self.counts["most stops at once"], len(stops))
        if len(stops) > 2:
            self.broken("P4", f"{len(stops)} of our stops rest for {key[1]}")
        if len(stops) == 2:
            self._two_since_s.setdefault(key, self._now_s())
        else:
            self._two_since_s.pop(key, None)

    # ------------------------------------------------------------ requests

    def on_arrival(self, path: str, body: bytes) -> Callable[[], None] | None:
        """A request of ours is about to be carried out."""
        return self.rules.before_arrival(path, body, self.quiet_since_s)

    def on_sent(self, sent: Sent) -> None:
        """Check a request of ours at the moment it leaves."""
        self.counts[f"{sent.verb} {sent.fate.value}"] += 1
        if sent.verb == "GET":
            return
        self.rules.check_leaving(sent)
        if sent.path.endswith("/order/cancelAllAfter"):
            return
        body = json.loads(sent.body)
        if is_correction(sent.path, body):
            return
        if not sent.path.endswith("/order"):
            self.broken("P1", f"{sent.verb} {sent.path}: no such request is ours to make: {body}")
        elif isinstance(body.get("orderID"), list):
            kinds = set(self._seen.setdefault(sent.guard, Seen()).latches.values())
            for text in latched_cancel_faults(self.orders, body["orderID"], kinds, self.size):
                self.broken("P1", text)
        else:
            self._check_order(sent, body)

    def _check_order(self, sent: Sent, body: dict[str, object]) -> None:
        match sent.verb:
            case "POST":
                self._check_placement(body)
            case "PUT":
                self._check_ours(body)
            case "DELETE":
                if not self._is_clearing(sent.guard, str(body["orderID"])):
                    self._check_ours(body)
                self._check_cancel(str(body["orderID"]))
            case _:
                self.broken("P1", f"{sent.verb} {sent.path}")

    def _check_placement(self, body: dict[str, object]) -> None:
        words = str(body.get("execInst", "")).split(",")
        is_restrained = "ReduceOnly" in words or "Close" in words
        is_stop = body.get("ordType") == "Stop" and "MarkPrice" in words
        is_take = body.get("ordType") == "Limit" and "ReduceOnly" in words
        if not is_restrained or not (is_stop or is_take or body.get("ordType") == "Market"):
            self.broken("P1", f"an order that could add danger: {body}")
        if not str(body.get("clOrdID", "")).startswith(OURS):
            self.broken("P4", f"an order without our id: {body}")

    def _check_ours(self, body: dict[str, object]) -> None:
        owner = self._owners.get(str(body.get("orderID")), "")
        if not owner.startswith(OURS) or "leavesQty" in body:
            self.broken("P1", f"touches what is not ours ({owner!r}): {body}")

    def _is_clearing(self, guard: str, order_id: str) -> bool:
        """The one exception: the switch is armed and was not fed for a while, and the order may add exposure.

        A blind guard cannot know that the time-out of some other client has ended the countdown before its own does.
        """
        seen, row = self._seen.get(guard), self.orders.get(order_id)
        if seen is None or row is None:
            return False
        if self._exchange.next_timer_ms() is None and self._now_s() - seen.fed_s > 2 * (seen.unfed_s + 1):
            return False
        words = str(row["execInst"]).split(",")
        shrinks = "ReduceOnly" in words or "Close" in words or str(row["clOrdID"]).startswith(OURS)
        return not shrinks and self._now_s() - seen.fed_s >= seen.unfed_s

    def _check_cancel(self, order_id: str) -> None:
        row = self.orders.get(order_id)
        if row is None:
            return
        key = (int(str(row["account"])), str(row["symbol"]))
        quantity = self.size(key)
        if not quantity or not protects(row, quantity) or self._now_s() - self._since_s.get(key, 0.0) < SETTLED_S:
            return
        rest = {number: each for number, each in self.orders.items() if number != order_id}
        if self._cover(key, quantity, None, self.orders) and not self._cover(key, quantity, None, rest):
            self.broken("P1", f"the cancel of {row['clOrdID']} uncovers {key[1]} ({quantity})")

    # ------------------------------------------------------------ cover

    def _cover(self, key: Key, quantity: int, liquidation: Decimal | None, orders: dict[str, Row]) -> bool:
        good = [
            row
            for row in orders.values()
            if (row["account"], row["symbol"]) == key
            and protects(row, quantity)
            and (liquidation is None or is_before_liquidation(row, quantity, liquidation))
        ]
        closes = any(not row["orderQty"] or "Close" in str(row["execInst"]) for row in good)
        return closes or sum(int(str(row["orderQty"] or 0)) for row in good) >= abs(quantity)

    def audit(self, *, is_strict: bool = False) -> list[str]:
        """Look at every position; return what is uncovered now.

        Args:
            is_strict: Report whatever is uncovered, however recent.
        """
        uncovered = []
        for account in filter(self._is_judged, self._exchange.accounts()):
            for row in self._exchange.position_rows(account):
                key = (account, str(row["symbol"]))
                quantity = int(str(row["currentQty"] or 0))
                liquidation = _decimal(row["liquidationPrice"])
                needs = quantity != 0 and liquidation is not None and liquidation not in SENTINELS
                if not needs or self._cover(key, quantity, liquidation, self.orders):
                    self._uncovered_s.pop(key, None)
                    continue
                uncovered.append(f"{key[1]} ({quantity}, mark {row['markPrice']}, liquidation {liquidation})")
                self._judge_uncovered(key, uncovered[-1], is_strict=is_strict)
        self._judge_pairs()
        newest_s = max([self.quiet_since_s, *self._since_s.values()])
        self.rules.count_takes(self.orders, self._sizes, newest_s)
        return uncovered

    def _judge_uncovered(self, key: Key, text: str, *, is_strict: bool) -> None:
        since_s = max(self._uncovered_s.setdefault(key, self._now_s()), self.quiet_since_s, self._since_s.get(key, 0.0))
        if is_strict or self._now_s() - since_s > WHOLE_AGAIN_S:
            self.broken("P2", f"{text} is uncovered for {self._now_s() - since_s:.1f} s, {self._stops_text(key)}")
            self._uncovered_s[key] = self._now_s()

    def _stops_text(self, key: Key) -> str:
        stops = [f"{row['clOrdID']}: {row['side']} {row['orderQty']} at {row['stopPx']}" for row in self.our_stops(key)]
        return f"resting: {stops}"

    def _judge_pairs(self) -> None:
        for key, since_s in list(self._two_since_s.items()):
            if not self.size(key) and any("flatten" in seen.latches.values() for seen in self._seen.values()):
                continue  # stops of both sides wait for the proof, which comes last of all
            if self._now_s() - max(since_s, self.quiet_since_s) > TWO_STOPS_S:
                self.broken("P4", f"two of our stops rest for {key[1]} for {self._now_s() - since_s:.1f} s")
                self._two_since_s[key] = self._now_s()

    # ------------------------------------------------------------ the guard's decisions

    def forget(self, guard: SimGuard, *, is_memory_lost: bool) -> None:
        """The guard was killed; without its memory what was confirmed to it counts no more."""
        seen = self._seen.setdefault(guard.name, Seen())
        seen.unknown.clear()
        if is_memory_lost:
            seen.tightest.clear()
            seen.loosened.clear()
            seen.latches.clear()
            self.rules.forget(guard)

    def on_event(self, guard: SimGuard, event: Event) -> None:
        """Learn what a guard was told."""
        seen = self._seen.setdefault(guard.name, Seen())
        self.counts["events"] += 1
        self.rules.on_event(guard, event)
        match event:
            case OperatorAsked(request=SetStop(may_loosen=True, symbol=symbol, price=price)):
                seen.loosened[symbol] = price
            case HealthTicked():
                seen.health = event
            case RequestUnanswered(command_id=command_id) | RequestRefused(command_id=command_id, is_duplicate=True):
                self._note_unknown(seen, command_id, event.at_ns)
            case Started(unanswered=unanswered):
                for command_id in unanswered:
                    self._note_unknown(seen, command_id, event.at_ns)
            case OrdersFound(command_id=command_id):
                self._note_found(seen, command_id)
            case ExecutionSeen(execution=execution):
                self._resolve(seen, (execution.client_order_id,))
            case PictureRead(asked_ns=asked_ns):
                seen.unknown = {key: each for key, each in seen.unknown.items() if each.since_ns > asked_ns}
            case _:
                pass
        for order in orders_of(event):
            self._resolve(seen, (order.client_order_id,))
            self._note_confirmed(seen, order)

    def _note_unknown(self, seen: Seen, command_id: int, at_ns: int) -> None:
        command = seen.commands.get(command_id)
        if isinstance(command, PlaceStop | ReduceAtMarket) and command.client_order_id not in seen.sighted:
            seen.unknown[series(command.client_order_id)] = Unknown(command.client_order_id, at_ns)

    def _note_found(self, seen: Seen, command_id: int) -> None:
        command = seen.commands.get(command_id)
        if isinstance(command, FindOrders):
            self._resolve(seen, command.client_order_ids)

    def _resolve(self, seen: Seen, names: Sequence[str]) -> None:
        seen.sighted.update(names)
        if seen.unknown:
            seen.unknown = {key: each for key, each in seen.unknown.items() if each.client_order_id not in names}

    def _note_confirmed(self, seen: Seen, order: Order) -> None:
        """A stop of this episode, still open at the exchange, was confirmed to the guard: P3 starts from it."""
        key = (order.account, order.symbol)
        quantity = self.size(key)
        is_current = order.order_id in self.orders and self._placed_s.get(order.order_id, 0.0) >= self._episode_s.get(
            key, 0.0
        )
        closing = OrderSide.SELL if quantity > 0 else OrderSide.BUY
        if (
            not quantity
            or not is_current
            or not order.client_order_id.startswith(OURS)
            or not order.is_resting_stop
            or order.side is not closing
            or order.stop_price is None
        ):
            return
        known = seen.tightest.get(order.symbol)
        tighter = max if quantity > 0 else min
        seen.tightest[order.symbol] = order.stop_price if known is None else tighter(known, order.stop_price)

    def on_commands(self, guard: SimGuard, commands: Sequence[Command]) -> None:
        """Check what a guard decided."""
        seen, switch = self._seen.setdefault(guard.name, Seen()), guard.policy.switch
        is_auto = switch.mode is SwitchMode.AUTO and not guard.policy.observe
        seen.unfed_s = float(switch.timeout_s) / 2 - 1 if is_auto else inf
        self.rules.on_commands(guard, commands)
        for command in commands:
            self.counts[type(command).__name__] += 1
            if not isinstance(command, RaiseAlert) and hasattr(command, "command_id"):
                seen.commands[command.command_id] = command
                self._count_asked(guard, seen)
            match command:
                case RaiseAlert():
                    note_latch(seen.latches, command)
                case PlaceStop() | ReduceAtMarket():
                    self._check_known(seen, command)
                    seen.sighted.discard(command.client_order_id)
                    self._check_ratchet(seen, command)
                case AmendStop():
                    self._check_ratchet(seen, command)
                case FeedSwitch():
                    seen.fed_s = self._now_s()
                    self._check_feed(guard, seen)
                case _:
                    pass

    def _count_asked(self, guard: SimGuard, seen: Seen) -> None:
        second = int(self._now_s())
        seen.asked = seen.asked + 1 if second == seen.second else 1
        seen.second = second
        if seen.asked > STORM:
            raise StormError(f"P8: {guard.name} asked for {STORM} things within a second")

    def _check_known(self, seen: Seen, command: PlaceStop | ReduceAtMarket) -> None:
        unknown = seen.unknown.get(series(command.client_order_id))
        if unknown is not None:
            what = f"{command.client_order_id} is placed while nobody knows what became of {unknown.client_order_id}"
            self.broken("P5", what)

    def _check_ratchet(self, seen: Seen, command: PlaceStop | AmendStop | ReduceAtMarket) -> None:
        if isinstance(command, ReduceAtMarket) or command.stop_price is None:
            return
        tightest = seen.tightest.get(command.key.symbol)
        if tightest is None or not self.size((command.key.account, command.key.symbol)):
            return
        is_long = command.side is OrderSide.SELL
        if is_long != (self.size((command.key.account, command.key.symbol)) > 0):
            return
        loosened = seen.loosened.get(command.key.symbol)
        if loosened is not None:
            tightest = min(tightest, loosened) if is_long else max(tightest, loosened)
        if (command.stop_price < tightest) if is_long else (command.stop_price > tightest):
            self.broken("P3", f"{command.client_order_id} at {command.stop_price}, but {tightest} was confirmed before")

    def _check_feed(self, guard: SimGuard, seen: Seen) -> None:
        inbox, limits = guard.inbox, guard.policy.health
        if inbox is None:
            return
        stale_ns = int(limits.stale_after_s * 10**9)
        for feed in Feed:
            is_old = inbox.age_ns(feed) > stale_ns + 1_000_000_000 and not guard.clock.is_just_set(20.0)
            if not inbox.is_live(feed) or is_old:
                self.broken("P6", f"the switch is fed while the {feed.value} feed is not fresh")
        health = seen.health
        if health is None or abs(health.clock_skew_ns) > int(limits.max_clock_skew_s * 10**9):
            self.broken("P6", "the switch is fed with a clock that is off, or before anything is known of it")
        elif health.loop_lag_ns > int(limits.max_loop_lag_s * 10**9):
            self.broken("P6", "the switch is fed while the loop is stalled")
