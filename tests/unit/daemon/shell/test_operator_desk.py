"""Operators' requests: carried out once, on disk before they are acknowledged, refused with what would be possible."""

from __future__ import annotations

from decimal import Decimal

from config.policy import Policy
from connectors.vocabulary import Side
from daemon.core.events import Event, OperatorAsked
from daemon.core.operator_requests import FlattenAsked, FreezeAsked, LiftLatch, SetStop
from daemon.core.state import GuardState, initial_state
from daemon.core.step import step
from daemon.shell.operator_desk import OperatorDesk
from tests.fakes import ManualClock


class Core:
    """The real core, without a journal."""

    def __init__(self) -> None:
        self.state: GuardState = initial_state(7, Policy())
        self.taken: list[Event] = []

    def take(self, event: Event) -> None:
        self.taken.append(event)
        self.state = step(self.state, event).state


def a_desk(core: Core, *, is_on_disk: bool = True) -> OperatorDesk:
    """A desk whose disk is as told."""
    return OperatorDesk(core=core, clock=ManualClock(), wait_durable=lambda _: is_on_disk)


async def test_a_request_is_stamped_with_who_asked_and_acknowledged_when_on_disk() -> None:
    """P7: the event names the person; the answer says what holds now."""
    core = Core()
    answer = await a_desk(core).operate("ada", "r-1", FreezeAsked())
    assert answer["on_disk"] is True
    assert "frozen" in str(answer["done"])
    (event,) = core.taken
    assert isinstance(event, OperatorAsked)
    assert (event.who, event.request_id) == ("ada", "r-1")


async def test_a_repeat_is_acknowledged_and_changes_nothing() -> None:
    """The first acknowledgement was lost: the same id is the same request, even if it could not be done any more."""
    core = Core()
    desk = a_desk(core)
    await desk.operate("ada", "r-1", FreezeAsked())
    await desk.operate("ada", "r-2", LiftLatch(name="operator"))
    again = await desk.operate("ada", "r-2", LiftLatch(name="operator"))
    assert again["is_repeat"] is True
    assert len(core.taken) == 2


async def test_what_cannot_be_done_is_not_journalled() -> None:
    """P12: an unknown latch is refused with the known ones."""
    core = Core()
    answer = await a_desk(core).operate("ada", "r-1", LiftLatch(name="x"))
    assert answer == {"error": "no latch is called x; nothing is latched"}
    assert core.taken == []


async def test_a_disk_that_does_not_take_it_is_said() -> None:
    """P12: the freeze holds, and the person hears that a restart may forget it."""
    assert (await a_desk(Core(), is_on_disk=False).operate("ada", "r-1", FreezeAsked()))["on_disk"] is False


async def test_an_id_that_comes_again_with_another_wish_is_refused() -> None:
    """P12: a "flatten" under the id of a "freeze" is not done, so it may not be acknowledged."""
    core = Core()
    desk = a_desk(core)
    await desk.operate("ada", "r-1", FreezeAsked())
    answer = await desk.operate("ada", "r-1", FlattenAsked())
    assert answer == {"error": "the id r-1 was used for another request (FreezeAsked); nothing was done"}
    assert list(core.state.latches) == ["operator"]


async def test_an_observing_guard_does_not_promise_what_it_will_not_do() -> None:
    """P12: the kill switch of an observer closes nothing, and the acknowledgement says so."""
    core = Core()
    core.state = initial_state(7, Policy(observe=True))
    done = (await a_desk(core).operate("ada", "r-1", FlattenAsked()))["done"]
    assert str(done).startswith("observing only, so nothing is sent to the venue; guarding, this would be: closing")


async def test_a_stop_is_not_loosened_while_nobody_can_write_down_who_asked() -> None:
    """P3: the disk takes nothing: a loosening would have no name in the journal, so it is refused before it counts."""
    core = Core()
    wish = SetStop(symbol="X", side=Side.LONG, price=Decimal(5), may_loosen=True)
    answer = await a_desk(core, is_on_disk=False).operate("ada", "r-1", wish)
    assert "journal cannot be written" in str(answer["error"])
    assert core.taken == []
