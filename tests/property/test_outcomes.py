"""Whatever is heard in whatever order, what may exist ends by proof only, and a late request does no harm."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.vocabulary import Order, OrderStatus
from daemon.core import events as e
from daemon.core.commands import AmendStop, CancelOrder, FindOrders, PlaceStop
from daemon.core.writes.outcomes import Outcome, Word, next_outcome
from tests.builders import SECOND, a_position
from tests.driven import MS, Driven

PROOFS = {Word.ANSWERED, Word.SEEN, Word.REFUSED, Word.NOT_SENT, Word.ABSENT_AFTER_EXPIRY}


@given(words=st.lists(st.sampled_from(Word), max_size=20))
def test_what_may_exist_ends_by_a_proof_and_by_nothing_else(words: list[Word]) -> None:
    """P5: it is proved if and only if a proof was heard; and accepted for good once it was seen."""
    outcome, was_seen = Outcome.MAY_EXIST, False
    for word in words:
        outcome = next_outcome(outcome, word)
        was_seen = was_seen or word in {Word.ANSWERED, Word.SEEN}
        assert (outcome is Outcome.PROVED_ACCEPTED) or not was_seen
    assert (outcome is Outcome.MAY_EXIST) == (not PROOFS & set(words))


@dataclass
class Venue:
    """A venue that loses the answer to one amend and carries it out later, or never."""

    guard: Driven
    book: dict[str, Order] = field(default_factory=dict)
    late: AmendStop | None = None

    def tell(self, order: Order) -> None:
        """Keep an order and tell it on the stream."""
        kept = replace(order, timestamp_ns=self.guard.now)
        if kept.status.is_final:
            self.book.pop(kept.order_id, None)
        else:
            self.book[kept.order_id] = kept
        self.serve(self.guard.order(kept))

    def serve(self, commands: tuple[object, ...] | list[object]) -> None:
        """Carry out what the guard asks for, at once, but for the first amend: that one hangs."""
        for command in commands:
            match command:
                case PlaceStop():
                    self.tell(self.guard.row_of(command))
                case CancelOrder(order_id=name) if name in self.book:
                    self.tell(replace(self.book[name], status=OrderStatus.CANCELED, leaves_quantity=0))
                case AmendStop() if self.late is None:
                    self.late = command
                    silent = e.RequestUnanswered(at_ns=self.guard.now, command_id=command.command_id, reason="time-out")
                    self.serve(self.guard.give(silent))
                case AmendStop(order_id=name) if name in self.book:
                    self.tell(amended(self.book[name], command))
                case FindOrders(client_order_ids=names):
                    found = tuple(each for each in self.book.values() if each.client_order_id in names)
                    answer = e.OrdersFound(at_ns=self.guard.now, command_id=command.command_id, orders=found)
                    self.serve(self.guard.give(answer))
                case _:
                    pass

    def arrive(self) -> int:
        """The amend that was given up is carried out after all, if its order still rests.

        Returns:
            What the stops hold at that moment, before the guard has heard of it.
        """
        if self.late is None or self.late.order_id not in self.book:
            return self.covered()
        changed = amended(self.book[self.late.order_id], self.late)
        self.book[changed.order_id] = changed
        covered = self.covered()
        self.tell(changed)
        return covered

    def covered(self) -> int:
        """How many contracts the resting stops hold together."""
        return sum(each.quantity or 0 for each in self.book.values())


def amended(order: Order, command: AmendStop) -> Order:
    """The order as the amend leaves it."""
    quantity = order.quantity if command.quantity is None else command.quantity
    price: Decimal | None = order.stop_price if command.stop_price is None else command.stop_price
    return replace(order, quantity=quantity, leaves_quantity=quantity or 0, stop_price=price)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(min_value=110, max_value=900), min_size=1, max_size=4),
    gaps_ms=st.lists(st.integers(min_value=50, max_value=5_000), min_size=4, max_size=4),
    at=st.integers(min_value=0, max_value=3),
)
def test_an_amend_that_arrives_late_leaves_the_position_covered(sizes: list[int], gaps_ms: list[int], at: int) -> None:
    """P2, P4: the position grows step by step; whenever the lost amend arrives, the stops hold all of it."""
    guard = Driven().up()
    venue = Venue(guard)
    venue.serve(guard.position(a_position()))
    guard.wait(2 * SECOND)
    size = 100
    for number, (more, gap_ms) in enumerate(zip(sizes, gaps_ms, strict=False)):
        size = max(size, more)
        venue.serve(guard.position(a_position(size, timestamp_ns=guard.now)))
        venue.serve(guard.wait(gap_ms * MS))
        venue.serve(guard.wait(SECOND))
        assert venue.covered() >= size
        if number == at:
            assert venue.arrive() >= size, "the late amend uncovered a part"
        assert len(venue.book) <= 2
