"""P2: every position that can be liquidated has resting, mark-triggered stops for all of it, near enough and in time.

Five questions, all put to the exchange:

- is it uncovered for longer than `WHOLE_AGAIN_S`, with nothing to excuse it?
- was it liquidated although nothing was wrong?
- how long did it take from the opening to the cover, and was that prompt where nothing was in the way (`PROMPT_S`)?
- is the cover at or nearer than the buffer that policy keeps in front of liquidation?
- in cross margin: is it nearer than the common move at which the account fails?

Units: seconds of virtual time, prices `Decimal`, quantities contracts.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import inf
from typing import Final

from connectors.simulated.engine.changes import Change
from tests.simulation.promises.asked_of_stops import buffered_trigger, common_failures, loosened
from tests.simulation.promises.book import Holding, Key, key_of
from tests.simulation.promises.ground import WHOLE_AGAIN_S, Ground, Promise

PROMPT_S: Final = 4.0
"""From opening to resting, for a guard that had no trouble: the row (30 ms), the request (120 ms), the order's row, and
one refusal or duplicate that is asked about (retry 0.5 s, confirmation awaited 2 s)."""
BINS_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0, WHOLE_AGAIN_S)
WATCHED: Final = frozenset({"order", "position", "execution"})


class CoversEveryPosition(Promise):
    """Checks the cover after every change, and what it has to be once a second."""

    name = "P2"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._uncovered_s: dict[Key, float] = {}
        self._opened_s: dict[Key, float] = {}
        """New positions that were never covered yet, and whether they count (infinity: they do not)."""
        self._far_s: dict[Key, float] = {}
        self._failures: dict[int, tuple[int, dict[Key, Decimal]]] = {}
        """By account: common failures, and the turn of the book at which they were worked out."""
        self.uncovered: list[str] = []
        """What was uncovered when last looked at."""

    # ------------------------------------------------------------ at every change

    def before_changes(self, changes: Sequence[Change]) -> None:
        """A liquidation is judged by the position that it took."""
        for change in changes:
            if change.table == "execution" and str(change.row["text"]).startswith("Liquidation"):
                self._take_liquidation(key_of(change.row))

    def _take_liquidation(self, key: Key) -> None:
        self._ground.counts["liquidations"] += 1
        held = self._book.holding(key)
        calm_since_s = max(self._ground.quiet_since_s, held.since_s)
        if self._ground.is_judged(key[0]) and self._now_s - calm_since_s > WHOLE_AGAIN_S:
            self._broken(f"{key[1]} ({held.quantity}) was liquidated although the guard could see and act")

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Notice the moment at which a cover ends or begins."""
        touched = {key_of(change.row) for change in changes if change.table in WATCHED}
        for key in touched:
            if self._ground.is_judged(key[0]):
                self._look(key, self._book.holding(key))

    def _look(self, key: Key, held: Holding) -> bool:
        """Follow one position; return whether it lacks cover."""
        if not held.quantity:
            self._opened_s.pop(key, None)
        elif held.episode_s == self._now_s and key not in self._opened_s:
            self._note_opening(key)
        if not held.can_be_liquidated:
            self._uncovered_s.pop(key, None)
            return False
        self.checked += 1
        if not self._book.is_covered(key, held):
            self._uncovered_s.setdefault(key, self._now_s)
            return True
        self._uncovered_s.pop(key, None)
        self._note_covered(key)
        return False

    def _note_opening(self, key: Key) -> None:
        is_fine = (
            self._ground.free_s(key[0]) > WHOLE_AGAIN_S and self._now_s - self._ground.trouble_ended_s > WHOLE_AGAIN_S
        )
        self._opened_s[key] = self._now_s if is_fine else inf

    def _note_covered(self, key: Key) -> None:
        opened_s = self._opened_s.pop(key, inf)
        if opened_s == inf:
            return
        took_s = self._now_s - opened_s
        within_s = next((each for each in BINS_S if took_s <= each), inf)
        self._ground.counts[f"new positions covered within {within_s} s"] += 1

    # ------------------------------------------------------------ once a second

    def on_second(self, *, is_strict: bool) -> None:
        """Look at every position, prices included."""
        self.uncovered = []
        for account in filter(self._ground.is_judged, self._ground.exchange.accounts()):
            self._book.read_positions(account)
            for key, held in list(self._book.held()):
                if key[0] == account:
                    self._judge(key, held, is_strict=is_strict)
            self._judge_common(account)

    def _judge(self, key: Key, held: Holding, *, is_strict: bool) -> None:
        if self._look(key, held):
            text = f"{key[1]} ({held.quantity}, mark {held.mark}, liquidation {held.liquidation})"
            self.uncovered.append(text)
            self._judge_uncovered(key, held, text, is_strict=is_strict)
        self._judge_prompt(key, held)
        for facts in self._ground.guards_of(key[0])[:1]:
            self._judge_place(key, held, buffered_trigger(held, facts.policy.stop), "policy's buffer")

    def _judge_uncovered(self, key: Key, held: Holding, text: str, *, is_strict: bool) -> None:
        since_s = max(self._uncovered_s[key], self._ground.quiet_since_s, held.since_s)
        if is_strict or self._now_s - since_s > WHOLE_AGAIN_S:
            self._broken(f"{text} is uncovered for {self._now_s - since_s:.1f} s, {self._book.stops_text(key)}")
            self._uncovered_s[key] = self._now_s

    def _judge_prompt(self, key: Key, held: Holding) -> None:
        """A position that opened in front of a guard without any trouble is covered promptly, and only once judged."""
        opened_s = self._opened_s.get(key, inf)
        if opened_s == inf or not held.can_be_liquidated:
            return
        is_disturbed = max(held.since_s, self._ground.quiet_since_s) > opened_s
        if is_disturbed or self._ground.free_s(key[0]) < self._now_s - opened_s + WHOLE_AGAIN_S:
            self._opened_s[key] = inf
        elif self._now_s - opened_s > PROMPT_S:
            self._opened_s[key] = inf
            self._broken(f"{key[1]} ({held.quantity}) opened {self._now_s - opened_s:.1f} s ago and is not covered")

    def _judge_common(self, account: int) -> None:
        turn, failures = self._failures.get(account, (-1, {}))
        if turn != self._book.turn:
            failures = common_failures(self._ground.exchange, account)
            self._failures[account] = self._book.turn, failures
        for key, price in failures.items():
            self._judge_place(key, self._book.holding(key), price, "the account's common failure")

    def _judge_place(self, key: Key, held: Holding, wanted: Decimal | None, what: str) -> None:
        """The cover is at or nearer to the mark than this, unless the mark is there already, or was of late."""
        name = (key[0], f"{key[1]} {what}")
        if wanted is None or held.mark is None:
            self._far_s.pop(name, None)
            return
        limit = loosened(wanted, held.quantity)
        is_through = held.mark <= limit if held.quantity > 0 else held.mark >= limit
        self.checked += 1
        if is_through or self._book.covers(key, held.quantity, limit):
            self._far_s.pop(name, None)
            return
        since_s = max(self._far_s.setdefault(name, self._now_s), self._ground.quiet_since_s, held.since_s)
        if self._now_s - since_s > WHOLE_AGAIN_S:
            self._broken(
                f"{key[1]} ({held.quantity}) is not covered at {what} ({wanted}), {self._book.stops_text(key)}"
            )
            self._far_s[name] = self._now_s
