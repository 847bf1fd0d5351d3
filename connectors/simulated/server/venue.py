"""The running exchange: one engine, one clock, one journal, and everyone who watches.

Why: REST, WebSocket, the tape and the timers all change the exchange in one way, `submit`: the
input is on disk, then applied, then published, then answered. So no client ever sees an effect
that a restart would lose, and no frame is out of order with another.

Units: milliseconds of protocol time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

import structlog
from msgspec.structs import replace

from connectors.simulated.engine import snapshot
from connectors.simulated.engine.changes import Reply
from connectors.simulated.engine.contracts import CONTRACTS, Contract
from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.faults.board import FaultBoard
from connectors.simulated.engine.inputs import Input, OpenAccount, PassTime, SetPrices
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server import keys
from connectors.simulated.server.auth import Keyring, derive_keys
from connectors.simulated.server.clock import Clock, MonotonicClock, standing_clock
from connectors.simulated.server.faults.doors import Faults
from connectors.simulated.server.faults.keeper import Keeper
from connectors.simulated.server.history import History
from connectors.simulated.server.hub import Hub
from connectors.simulated.server.limits import RequestLimits
from connectors.simulated.server.settings import ClockKind, ExchangeSettings, ListingChoice
from connectors.simulated.server.snapshot_file import VERSION, Header, file_of, read_snapshot
from connectors.simulated.server.state import Record, StateError, StateJournal, TapeState
from connectors.simulated.server.venue_state import VenueState

FIRST_ACCOUNT = 100_001
_log = structlog.get_logger()


class Venue:
    """Everything behind the two ports.

    Attributes:
        settings: What this exchange was started with.
        clock: Protocol time: what rows are stamped with and timers run on.
        wall: Real time: what signatures expire by and request limits refill by.
        exchange: The engine; to be read, never to be changed but through `submit`.
        hub: Publication.
        history: What happened, on both clocks.
        keyring: All API keys.
        limits: Request limits.
        faults: What goes wrong between the venue and its clients.
        timers_changed: Set when the next timer may be another one than before.
        tape: What the operator set on the tape.
        step: Index of the tape's last step, -1 before the first.
        tape_ms: Time on the tape, None before its first step.
    """

    def __init__(self, settings: ExchangeSettings, clock: Clock) -> None:
        self.settings = settings
        self.wall = MonotonicClock(clock)
        self.clock = self.wall if settings.clock is ClockKind.REAL else MonotonicClock(standing_clock)
        self.exchange = Exchange(switches=settings.switches, contracts=_contracts_of(settings))
        self.hub = Hub(
            self.exchange,
            settings.rows,
            position_keys=settings.position_keys,
            image_period_ms=settings.image_period_ms,
            instrument_period_ms=settings.instrument_period_ms,
        )
        self.history = History()
        self.accounts = [FIRST_ACCOUNT + number for number in range(settings.accounts)]
        own = [key for account in self.accounts for key in derive_keys(settings.seed, account)]
        self.keyring = Keyring(own, expired_status=settings.expired_status)
        self.limits = RequestLimits(settings.limits)
        self.faults = Faults(Keeper(self._board, clock=self.clock, submit=self.submit))
        self.hub.interference = self.faults
        self.timers_changed = asyncio.Event()
        self.tape = TapeState(is_playing=not settings.start_paused)
        self.step = -1
        self.tape_ms: int | None = None
        self._last_prices: SetPrices | None = None
        self._journal: StateJournal | None = None
        self._fingerprint: dict[str, str] = {}

    def open(self, fingerprint: Mapping[str, str]) -> None:
        """Go on from the snapshot and the state directory, if there are any, and see to it that the accounts exist.

        Args:
            fingerprint: Settings that have to be the same as when the state was written.

        Raises:
            StateError: If the snapshot or the directory cannot be used.
        """
        self._fingerprint = dict(fingerprint)
        if self.settings.state_dir is not None:
            self._open_journal(self.settings.state_dir)
        elif self.settings.snapshot is not None:
            self._restore(self._given(self.settings.snapshot), self.settings.snapshot)
        own = self.settings.account_balances
        for account, balances in zip_longest(self.accounts, own[: len(self.accounts)]):
            if not self.exchange.has_account(account):
                self.submit(OpenAccount(account=account, balances=dict(balances or self.settings.balances)))

    def save(self) -> bytes:
        """Return all that a restart needs as one document; the same state gives the same bytes."""
        return snapshot.save(
            VenueState(
                at_ms=self.clock(),
                step=self.step,
                tape_ms=self.tape_ms,
                tape=self.tape,
                last_prices=self._last_prices,
                world=self.exchange.world,
                published=self.hub.published,
                history=self.history,
                faults=self.faults.keeper.counts(),
            )
        )

    def snapshot_file(self) -> bytes:
        """Return the state as a file that an exchange of the same settings can begin with."""
        return file_of(Header(version=VERSION, settings=self._fingerprint), self.save())

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def submit(self, value: Input, *, step: int | None = None) -> Reply:
        """Journal, apply and publish one input; return what the REST answer shows.

        Args:
            value: The input.
            step: Index of the tape's step, for prices that come off the tape.

        Raises:
            Refused: If the venue would answer with an HTTP error.
            StateError: If it could not be journalled; nothing has changed then.
        """
        if self.settings.clock is ClockKind.TAPE and isinstance(value, SetPrices):
            self.clock.advance_to(value.tape_ms)
        record = Record(at_ms=self.clock(), input=value, step=step)
        journal = self._journal
        before = None if journal is None else journal.append(record)
        try:
            return self._apply(value, record.at_ms, step)
        except Refused:
            raise
        except BaseException:
            if journal is not None and before is not None:
                journal.cut(before)  # what the engine could not take must not break the next start
            raise

    def compact(self) -> None:
        """Put a snapshot in the place of a journal that has become long.

        Raises:
            StateError: If it is not known whether the snapshot is on disk.
        """
        journal = self._journal
        if journal is not None and journal.is_outgrown and not journal.compact(self.save()):
            _log.warning("no room for a snapshot: the journal goes on", folder=str(self.settings.state_dir))

    def repeat_prices(self) -> None:
        """Publish the last prices once more, so that market tables move while the tape stands still."""
        if self._last_prices is not None:
            self.submit(self._last_prices)

    def pass_time(self) -> None:
        """Let timers that are due run out."""
        self.submit(PassTime())

    def set_tape(self, tape: TapeState) -> None:
        """Keep what the operator set on the tape, over a restart too."""
        if self._journal is not None:
            self._journal.append(Record(at_ms=self.clock(), tape=tape))
        self.tape = tape

    def refresh(self, account: int) -> None:
        """Publish the account's position and margin rows as prices have moved them."""
        at_ms = self.clock()
        self.exchange.refresh(account, at_ms=at_ms)
        self._publish(at_ms)

    def _open_journal(self, folder: Path) -> None:
        journal = StateJournal(folder, self._fingerprint, compact_bytes=self.settings.compact_bytes)
        try:
            self._begin(journal, folder)
            for record in journal.replay():
                self._replay(record)
        except BaseException:
            journal.close()
            raise
        self._journal = journal

    def _begin(self, journal: StateJournal, folder: Path) -> None:
        """Load the snapshot that a journal goes on from; the one given, if the journal is new."""
        kept, given = journal.take_snapshot(), self.settings.snapshot
        if given is not None:
            if kept is not None or not journal.is_empty:
                raise StateError(f"state directory {folder}: has a state already; leave the snapshot out")
            kept = self._given(given)
            if not journal.compact(kept):
                raise StateError(f"state directory {folder}: no room for the snapshot")
        if kept is not None:
            self._restore(kept, folder if given is None else given)

    def _given(self, path: Path) -> bytes:
        return read_snapshot(path, self._fingerprint)[1]

    def _restore(self, document: bytes, path: Path) -> None:
        try:
            state = snapshot.load(document, VenueState)
        except snapshot.SnapshotError as error:
            raise StateError(f"{path}: {error}") from error
        self.clock.advance_to(state.at_ms)
        self.step, self.tape_ms, self.tape = state.step, state.tape_ms, state.tape
        self._last_prices = state.last_prices
        self.exchange.restore(state.world)
        self.hub.restore(state.published)
        self.history = state.history
        self.faults.keeper.restore(state.faults)
        keys.fill(self.keyring, self.exchange, seed=self.settings.seed)

    def _board(self) -> FaultBoard:
        return self.exchange.faults()

    def _apply(self, value: Input, at_ms: int, step: int | None) -> Reply:
        if isinstance(value, SetPrices):
            self._note_prices(value, at_ms, step)
        try:
            reply = self.exchange.apply(value, at_ms=at_ms)
            if isinstance(value, SetPrices):
                self._last_prices = _latest(self._last_prices, value)
            keys.follow(self.keyring, value, seed=self.settings.seed)
        finally:
            self._publish(at_ms)
            self.timers_changed.set()
        return reply

    def _note_prices(self, value: SetPrices, at_ms: int, step: int | None) -> None:
        is_new = self.tape_ms != value.tape_ms or step is not None
        self.tape_ms = value.tape_ms
        if step is not None:
            self.step = step
        if is_new:
            self.history.note_prices(value.prices, at_ms=at_ms, tape_ms=value.tape_ms)

    def _publish(self, at_ms: int) -> None:
        changes = self.exchange.take_changes()
        self.history.note_changes(changes, at_ms=at_ms, tape_ms=self.tape_ms)
        self.hub.publish(changes)

    def _replay(self, record: Record) -> None:
        self.clock.advance_to(record.at_ms)
        if record.tape is not None:
            self.tape = record.tape
        if record.input is None:
            return
        try:
            self._apply(record.input, record.at_ms, record.step)
        except Refused:
            return  # it was refused the first time, too; nothing changed


def _contracts_of(settings: ExchangeSettings) -> tuple[Contract, ...]:
    """Return what is listed from the start; everything else is listed by an input before the first price."""
    few = settings.listing is ListingChoice.MAJORS and settings.instruments is None
    return CONTRACTS if few else ()


def _latest(before: SetPrices | None, value: SetPrices) -> SetPrices:
    """Return the latest prices of every contract, without what was traded on the way, which happens only once."""
    latest = {} if before is None else {one.symbol: one for one in before.prices}
    latest |= {one.symbol: replace(one, low=None, high=None, trades=()) for one in value.prices}
    return SetPrices(tape_ms=value.tape_ms, prices=tuple(latest.values()))
