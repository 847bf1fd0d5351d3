"""P4: one stop of ours per position, two while one replaces the other, never more; and no id stands for two orders.

Units: seconds of virtual time, quantities contracts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from connectors.simulated.engine.changes import Change, Row
from daemon.core import ids
from daemon.core.commands import PlaceStop, PlaceTakeProfit, ReduceAtMarket
from daemon.core.events import Event, OrderSeen, PictureRead, RequestRefused, Started
from tests.simulation.faults import RequestFate
from tests.simulation.promises.book import FINISHED, Key, is_ours, key_of
from tests.simulation.promises.ground import Ground, GuardFacts, Promise
from tests.simulation.requests import Sent

MOST_STOPS: Final = 2
TWO_STOPS_S: Final = 30.0
"""A replacement is over after this long. A stop is cleared on the stream's word, and a reconnect may take 15 s."""
TOO_MUCH_S: Final = 12.0
"""So long after a change of size may take-profit orders hold more than the position, if nothing else is wrong."""


class OneStopPerPosition(Promise):
    """Counts what of ours rests."""

    name = "P4"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._two_since_s: dict[Key, float] = {}
        self._too_much_s: dict[Key, float] = {}
        self._acting: dict[tuple[int, str], str] = {}
        """The venue's id of the order that a client order id of ours stands for, while it is open or was filled."""
        self._first: dict[tuple[int, str], str] = {}
        """The venue's id of the first order that ever had a client order id of ours."""
        self._sent: Counter[tuple[str, str]] = Counter()
        """How often each guard placed each client order id, and was not told that the venue would not have it."""
        self._acted_s: dict[tuple[int, str], float] = {}
        """Since when that order does something."""
        self._doubled_s: dict[str, float] = {}
        """When the latest request under a client order id left, if somebody on the way delivered it twice."""
        self._delayed: set[str] = set()
        """Client order ids of requests that were held up on their way."""
        self._told: set[tuple[str, str]] = set()
        """What ended orders each guard's stream has shown it in this life, by guard and client order id."""
        self._lost: set[tuple[str, str]] = set()
        """Those of earlier lives that went with the end of its journal, until it has read its account once more."""

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Count again for whatever of ours changed."""
        for change in changes:
            if change.table == "order" and is_ours(change.row):
                self._first.setdefault(_name_of(change.row), str(change.row["orderID"]))
                self._count_stops(key_of(change.row))
                self._note_name(change.row)

    def _note_name(self, row: Row) -> None:
        """Two orders under one name are one act done twice: the venue refuses the second, or the guard asks before.

        A venue that forgets an id at once cannot be kept from it by two guards that act in the same moment, nor by one
        whose single request was delivered twice, or whose reduction was held up until the one that it sent after asking
        (P5 looks to that) was filled: such a request is bounded by its expiry, and can only shrink what is held. Nor a
        guard that was told of the first one's end, lost that with the end of its journal, and has to reduce before a
        read of the account gets through: that is another act under a used id.
        """
        name, order_id = _name_of(row), str(row["orderID"])
        known = self._acting.get(name)
        is_acting = bool(row["cumQty"]) or (row["ordType"] != "Market" and row["ordStatus"] not in FINISHED)
        if not is_acting:
            if known == order_id:
                del self._acting[name]
            return
        self.checked += 1
        if known == order_id:
            return
        came_late = row["ordType"] == "Market" and name[1] in self._delayed
        if known is not None and self._repeats(name[1]) > 1 and not (came_late or self._is_one_request(name)):
            self._broken(f"{name[1]} stands for two orders that did something: {known} and {order_id}")
        self._acting[name], self._acted_s[name] = order_id, self._now_s

    def _is_one_request(self, name: tuple[int, str]) -> bool:
        """Whether the order that acts under this name came of the very request that was delivered once more."""
        doubled_s = self._doubled_s.get(name[1])
        return doubled_s is not None and self._acted_s[name] >= doubled_s

    def _repeats(self, name: str) -> int:
        """How often one guard has sent this name."""
        return max((sent for (_, sent_name), sent in self._sent.items() if sent_name == name), default=0)

    def on_sent(self, facts: GuardFacts | None, sent: Sent, body: Mapping[str, object]) -> None:
        """Count what is placed under each name: anew where it reduces and had forgotten the name."""
        if sent.verb == "POST" and "clOrdID" in body:
            name = str(body["clOrdID"])
            if (sent.guard, name) in self._lost and body["ordType"] == "Market":
                self._lost.discard((sent.guard, name))
                del self._sent[sent.guard, name]
            self._sent[sent.guard, name] += 1
            self._doubled_s.pop(name, None)
            if sent.fate is RequestFate.DELAYED:
                self._delayed.add(name)
            if sent.fate is RequestFate.TWICE:
                self._doubled_s[name] = self._now_s

    def on_event(self, facts: GuardFacts, event: Event) -> None:
        """A name that the venue refused stands for nothing: what leaves under it later leaves for the first time."""
        guard = facts.guard.name
        match event:
            case RequestRefused(is_duplicate=False, is_own=False):
                command = facts.commands.get(event.command_id)
                if isinstance(command, PlaceStop | PlaceTakeProfit | ReduceAtMarket):
                    name = guard, command.client_order_id
                    self._sent[name] = max(0, self._sent[name] - 1)
            case OrderSeen(order=order) if order.status.is_final:
                self._told.add((guard, order.client_order_id))
            case Started():
                mine = {name for name in self._told | self._lost if name[0] == guard}
                self._told -= mine
                self._lost = self._lost - mine | {name for name in mine if not _is_remembered(facts, name[1])}
            case PictureRead():
                self._lost = {name for name in self._lost if name[0] != guard}
            case _:
                pass

    def _count_stops(self, key: Key) -> None:
        """Two at most protect one side; what is left over from the other is gone as soon as a replacement is over."""
        stops, counts = self._book.our_stops(key), self._ground.counts
        on_a_side = max(Counter(str(row["side"]) for row in stops if not self._came_late(row)).values(), default=0)
        counts["most stops at once"] = max(counts["most stops at once"], on_a_side)
        self.checked += 1
        if on_a_side > MOST_STOPS:
            self._broken(f"{on_a_side} of our stops rest for one side of {key[1]}")
        if len(stops) >= MOST_STOPS:
            self._two_since_s.setdefault(key, self._now_s)
        else:
            self._two_since_s.pop(key, None)

    def _came_late(self, row: Row) -> bool:
        """Whether this is one guard's stop that was under way while the other's of that name came and went.

        It saw its name rest, and end, and went on; that a venue which forgets takes the name once more, it cannot know.
        """
        name = _name_of(row)
        return self._first.get(name) != row["orderID"] and self._repeats(name[1]) <= 1

    def on_second(self, *, is_strict: bool) -> None:
        """Nothing lasts that is allowed for a moment only."""
        self._judge_pairs()
        self.count_takes()

    def _judge_pairs(self) -> None:
        for key, since_s in list(self._two_since_s.items()):
            if not self._book.size(key) and self._ground.is_flattening():
                continue  # stops of both sides wait for the proof, which comes last of all
            if self._now_s - max(since_s, self._ground.quiet_since_s) > TWO_STOPS_S:
                self._broken(f"more than one of our stops rests for {key[1]} for {self._now_s - since_s:.1f} s")
                self._two_since_s[key] = self._now_s

    def count_takes(self) -> None:
        """Take-profit orders together never hold more than the position, but for a moment after it shrank."""
        sums: Counter[Key] = Counter()
        for row in self._book.orders.values():
            if is_ours(row) and row["ordType"] == "Limit":
                sums[key_of(row)] += int(str(row["leavesQty"] or 0))
        for key in [key for key in self._too_much_s if sums[key] <= abs(self._book.size(key))]:
            del self._too_much_s[key]
        counts = self._ground.counts
        counts["most take-profit orders"] = max(counts["most take-profit orders"], len(sums))
        for key, together in sums.items():
            self.checked += 1
            held = abs(self._book.size(key))
            if together <= held:
                continue
            newest_s = max((each.since_s for each in self._book.holdings.values()), default=0.0)
            since_s = max(self._too_much_s.setdefault(key, self._now_s), self._ground.quiet_since_s, newest_s)
            if self._now_s - since_s > TOO_MUCH_S:
                self._broken(f"take-profit orders for {together} of {key[1]}, of which {held} are held")
                self._too_much_s[key] = self._now_s


def _is_remembered(facts: GuardFacts, name: str) -> bool:
    """Whether a guard that has just started knows that this id was used."""
    state, parsed = facts.guard.state, ids.parse(facts.guard.account, name)
    return state is None or parsed is None or state.numbers.get(parsed[0], 0) >= parsed[1]


def _name_of(row: Row) -> tuple[int, str]:
    """Whose order it is, and its client order id."""
    return key_of(row)[0], str(row["clOrdID"])
