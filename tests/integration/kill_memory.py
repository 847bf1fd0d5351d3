"""What a guard must not forget over kills, read from its journal as the next start will read it (P7).

Forgotten would be: a latch, an acknowledged request, what the day began with, a bot's silence, a stop price given for
the position that is still open, and a request that may still take effect. The last ends by a word of the venue about
that order, or by proof that it can arrive no more, and never with the process.

Units: nanoseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from daemon.core.state import GuardState
from daemon.core.writes.outcomes import EXPIRES_AFTER_NS
from daemon.shell.journal_file import segments_in
from daemon.shell.recover import recover


class KillMemory:
    """Compares what one journal gives back after each kill with what it gave back before."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.given = 0
        """How often a price that was given held over a kill."""
        self.requests = 0
        """How often a request without a verdict was there after a kill."""
        self._kept: dict[str, Any] = {}
        self._asked: tuple[str, ...] = ()
        self._prices: dict[tuple[str, int], Any] = {}
        self._open: dict[str, int] = {}
        """Client order id of each request without a verdict, and when it left."""
        self._open_seq = 0

    def forget_prices(self) -> None:
        """Somebody gives another one, which takes the place of what was given before."""
        self._prices = {}

    def compare(self) -> GuardState:
        """Read the journal; what must be there is there, and as it was. Returns the state."""
        recovered = recover(self.journal)
        assert recovered.problem is None
        assert recovered.state is not None
        state = recovered.state
        self._compare_kept(state)
        self._compare_prices(state)
        self._compare_open(state, recovered.next_seq, frozenset(recovered.unanswered))
        return state

    def _compare_kept(self, state: GuardState) -> None:
        """What people asked for, what the day began with, and which bot is silent, is what it was."""
        now: dict[str, Any] = {
            "latches": {each.name: (each.kind, each.since_ns, each.text) for each in state.latches.values()},
            "days": {each.currency: (each.day, each.since_ns, each.start_sat) for each in state.day_books.values()},
            "silences": {name: (bot.silent_ns, bot.silences) for name, bot in state.bots.items() if bot.is_silent},
        }
        assert now["latches"], "the freeze was forgotten"
        for what, before in self._kept.items():
            missing = {name: each for name, each in before.items() if now[what].get(name) != each}
            assert not missing, f"{what}: {missing} became {now[what]}"
        asked = tuple(state.operator_ids)
        assert asked[: len(self._asked)] == self._asked, f"requests: {self._asked} became {asked}"
        self._kept, self._asked = now, asked

    def _compare_prices(self, state: GuardState) -> None:
        """A price that was given lasts as long as its position: from when that became known, or turned."""
        now = {
            (symbol, guarded.known_ns + guarded.turned_ns): guarded.episode.given
            for symbol, guarded in state.positions.items()
            if guarded.position.quantity
        }
        for position, price in self._prices.items():
            if position in now:
                assert now[position] == price, f"the price given for {position}: {price} became {now[position]}"
                self.given += 1
        self._prices = {position: price for position, price in now.items() if price is not None}

    def _compare_open(self, state: GuardState, next_seq: int, unanswered: frozenset[int]) -> None:
        """What may still take effect is still known to, or somebody said what became of it."""
        now = {each.client_order_id: each.first_ns for each in state.unproved.values() if each.client_order_id}
        for guarded in state.positions.values():
            for write in (guarded.write, guarded.reduce):
                if write is not None and write.command_id in unanswered:
                    now.setdefault(write.client_order_id, write.sent_ns)
        for name, left_ns in self._open.items():
            is_over = state.now_ns > left_ns + EXPIRES_AFTER_NS
            assert name in now or is_over or self._is_told(name), f"{name} may take effect, and was forgotten"
        self.requests += len(now)
        self._open, self._open_seq = now, next_seq

    def _is_told(self, name: str) -> bool:
        """Whether an event since then names the order."""
        needle = f'"{name}"'.encode()
        return any(
            needle in line and b'"kind":"event"' in line[:200] and _seq_of(line) >= self._open_seq
            for _, path in segments_in(self.journal)
            for line in path.read_bytes().split(b"\n")
        )


def _seq_of(line: bytes) -> int:
    return int(line.partition(b'"seq":')[2].partition(b",")[0])
