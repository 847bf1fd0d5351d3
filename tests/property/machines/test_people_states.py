"""The book of what people are told: whatever is raised, ended, acknowledged, silenced and forgotten by nobody.

An emergency is told within seconds whatever silences and hours say; a fact that is told is told no louder than it is;
the book stays bounded; a restart (through the bytes of a checkpoint) changes nothing.
"""

from __future__ import annotations

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from config.alerting import Level
from config.policy import Tier
from daemon.core.altered import altered
from daemon.core.commands import Notify, Severity
from daemon.core.memory.alert_book import MOST_FACTS, MOST_SILENCES, AlertBook
from daemon.core.operator_requests import AcknowledgeAsked, SilenceAsked, UnsilenceAsked
from daemon.core.people.shown import shown
from tests.unit.daemon.core.people.listener import Listener, alert

SYMBOLS = ("A", "B", "C")
STATES = ("blind_account", "blind_market", "misconfigured", "picture_overdue")
HEARD_S = 17
"""Gathered for a second, fifteen seconds after the message before, and a second for the tick."""


class PeopleMachine(RuleBasedStateMachine):
    """One guard's alerts, and the person who reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.listener = Listener(quiet_from="00:00", quiet_until="23:59")
        self.ids: set[str] = set()
        self.open: dict[str, int] = {}
        """Emergencies that stand and were not told, with the seconds since."""

    def _heard(self, told: list[Notify]) -> None:
        for notice in told:
            assert notice.notification_id not in self.ids
            self.ids.add(notice.notification_id)
            assert all((notice.title, notice.text, notice.did, notice.will, notice.you_can))
            assert notice.count >= 1
            assert notice.level in {level.value for level in Level}
            self._take(notice)

    def _take(self, notice: Notify) -> None:
        if notice.group == "distance" and notice.level == Level.EMERGENCY.value:
            for member in notice.members:
                self.open.pop(member.symbol, None)

    @rule(symbol=st.sampled_from(SYMBOLS), tier=st.sampled_from(list(Tier)))
    def tier(self, symbol: str, tier: Tier) -> None:
        """A position comes nearer, or recovers."""
        known = self.listener.state.people.facts.get(f"tier::{symbol}:")
        was_told = known is not None and known.told_rank == Level.EMERGENCY.rank
        self._heard(self.listener.tier(tier, symbol))
        if tier is Tier.EMERGENCY and not was_told:
            self.open.setdefault(symbol, 0)
        elif tier is not Tier.EMERGENCY:
            self.open.pop(symbol, None)

    @rule(name=st.sampled_from(STATES))
    def degrade(self, name: str) -> None:
        """Something of the account is lost."""
        self._heard(self.listener.degrade(name))

    @rule(name=st.sampled_from(STATES))
    def recover(self, name: str) -> None:
        """It is back."""
        if name in self.listener.state.degraded:
            self._heard(self.listener.recover(name))

    @rule(count=st.sampled_from([1, 5, 40]), severity=st.sampled_from(list(Severity)))
    def flood(self, count: int, severity: Severity) -> None:
        """Many facts of one cause, in one step."""
        at = self.listener.now
        self._heard(self.listener.say(*[alert("foreign", "strange", f"{at}-{n}", severity) for n in range(count)]))

    @rule(key=st.sampled_from(["", "distance", "sight", "means"]))
    def acknowledge(self, key: str) -> None:
        """A person takes it on; what nobody has told them of they took on by looking."""
        if not self.listener.ask(AcknowledgeAsked(key=key)) and key in {"", "distance"}:
            book = self.listener.state.people
            assert all(fact.acknowledged_rank for fact in book.facts.values() if not key or fact.group == key)

    @rule(seconds=st.sampled_from([60, 600]), symbol=st.sampled_from(["", "A", "*"]))
    def silence(self, seconds: int, symbol: str) -> None:
        """A person does not want to hear of it."""
        self.listener.ask(SilenceAsked(seconds=seconds, comment="known", symbol=symbol))

    @rule()
    def unsilence(self) -> None:
        """They do again."""
        self.listener.ask(UnsilenceAsked())

    @rule(seconds=st.sampled_from([1, 2, 20, 70]))
    def wait(self, seconds: int) -> None:
        """Time passes, with the tick of every second."""
        for _ in range(seconds):
            self._heard(self.listener.wait(1))
            for symbol in self.open:
                self.open[symbol] += 1
                assert self.open[symbol] <= HEARD_S, f"{symbol} is an emergency that nobody heard of"

    @rule()
    def restart(self) -> None:
        """The process dies; the next one reads the checkpoint."""
        document = msgspec.json.encode(self.listener.state.people)
        book = msgspec.json.decode(document, type=AlertBook)
        assert book == self.listener.state.people
        self.listener.state = altered(self.listener.state, people=book)

    @invariant()
    def is_bounded(self) -> None:
        """Whatever came in."""
        book = self.listener.state.people
        assert len(book.facts) <= MOST_FACTS
        assert len(book.silences) <= MOST_SILENCES
        assert {fact.group for fact in book.facts.values()} <= set(book.groups)
        assert all(fact.told_rank <= Level.EMERGENCY.rank for fact in book.facts.values())
        if book.groups or book.silences:
            assert book.due_ns

    @invariant()
    def can_be_shown(self) -> None:
        """`seawall alerts` shows every group there is."""
        page = shown(self.listener.state)["alerts"]
        assert isinstance(page, list)
        assert {each["key"] for each in page} == set(self.listener.state.people.groups)


TestPeople = PeopleMachine.TestCase
TestPeople.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
