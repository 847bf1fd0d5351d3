"""The tables that are pure functions: modes, writes, outcomes. What must hold along any path through them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from daemon.core.errors import InvariantBroken
from daemon.core.memory.orders import TABLE as WRITES
from daemon.core.memory.orders import WriteInput, WriteState, next_state
from daemon.core.mode import TABLE as MODES
from daemon.core.mode import Mode, ModeInput, next_mode
from daemon.core.writes.outcomes import Outcome, Word, next_outcome

_SHORT = settings(max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_WORDS_OF_THE_VENUE = {Word.ANSWERED, Word.SEEN, Word.REFUSED, Word.NOT_SENT, Word.ABSENT_AFTER_EXPIRY}


class ModeMachine(RuleBasedStateMachine):
    """A guard that is told to see, not to see, to read a picture, to stop and to start, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.mode = Mode.STARTING
        self.saw = self.had_picture = self.stop_asked = False

    @rule(given=st.sampled_from(ModeInput))
    def move(self, given: ModeInput) -> None:
        """One input; a pair that is not in the table raises and moves nothing."""
        if (self.mode, given) not in MODES:
            try:
                next_mode(self.mode, given)
            except InvariantBroken:
                return
            raise AssertionError("a pair outside the table moved the mode")
        self.mode = next_mode(self.mode, given)
        match given:
            case ModeInput.CAN_SEE:
                self.saw = True
            case ModeInput.CANNOT_SEE:
                self.saw = self.had_picture = False
            case ModeInput.PICTURE_TAKEN:
                self.had_picture = True
            case ModeInput.STOP_ASKED:
                self.stop_asked = True
            case ModeInput.RESTARTED:
                self.saw = self.had_picture = self.stop_asked = False
            case ModeInput.SETTLED:
                pass

    @invariant()
    def guarding_is_seeing_with_a_picture(self) -> None:
        """P6: nothing leads into GUARDING but sight first and a picture then, and blindness leads out of it."""
        if self.mode is Mode.GUARDING:
            assert self.saw
            assert self.had_picture

    @invariant()
    def a_stop_is_undone_by_a_start_alone(self) -> None:
        """Once asked to stop, the guard stops."""
        assert (self.mode in {Mode.STOPPING, Mode.STOPPED}) == self.stop_asked


class WriteMachine(RuleBasedStateMachine):
    """One write that hears anything, as long as it is not settled."""

    def __init__(self) -> None:
        super().__init__()
        self.state = WriteState.IN_FLIGHT
        self.heard: list[WriteInput] = []

    @rule(news=st.sampled_from(WriteInput))
    def hear(self, news: WriteInput) -> None:
        """One piece of news; a settled write is forgotten, and the next one begins."""
        if (self.state, news) not in WRITES:
            assert self.state is WriteState.SETTLED
            self.state, self.heard = WriteState.IN_FLIGHT, []
            return
        self.state = next_state(self.state, news)
        self.heard.append(news)

    @invariant()
    def settled_by_a_verdict(self) -> None:
        """P5: silence, time and a duplicate settle nothing, nor does "not found" while it is under way."""
        if self.state is WriteState.SETTLED:
            assert self.heard[-1] not in {WriteInput.UNANSWERED, WriteInput.LATE, WriteInput.DUPLICATE}
            assert self.heard[-1] is not WriteInput.ANSWERED_OPEN, "an answer is submitted, not confirmed"
            assert set(self.heard) != {WriteInput.NOT_FOUND}

    @invariant()
    def unknown_by_silence_alone(self) -> None:
        """UNKNOWN is entered by what leaves it open, and left by whatever speaks of the write."""
        if self.state is WriteState.UNKNOWN:
            assert self.heard[-1] in {WriteInput.UNANSWERED, WriteInput.LATE, WriteInput.DUPLICATE}


class OutcomeMachine(RuleBasedStateMachine):
    """What is proved of one request, whatever is heard of it and however long it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.outcome = Outcome.MAY_EXIST
        self.heard: set[Word] = set()

    @rule(word=st.sampled_from(Word))
    def hear(self, word: Word) -> None:
        """One word."""
        before = self.outcome
        self.outcome = next_outcome(before, word)
        self.heard.add(word)
        if before is Outcome.PROVED_ACCEPTED:
            assert self.outcome is before, "what was there once was there"
        if word in {Word.SEEN, Word.ANSWERED}:
            assert self.outcome is Outcome.PROVED_ACCEPTED, "what is seen is there"

    @invariant()
    def time_proves_nothing(self) -> None:
        """P5: a request without a word of the venue may exist, however long it is silent."""
        assert (self.outcome is Outcome.MAY_EXIST) == (not self.heard & _WORDS_OF_THE_VENUE)


for _machine in (ModeMachine, WriteMachine, OutcomeMachine):
    _machine.TestCase.settings = _SHORT
TestModes = ModeMachine.TestCase
TestWrites = WriteMachine.TestCase
TestOutcomes = OutcomeMachine.TestCase
