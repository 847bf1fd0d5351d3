"""Lines of the journal."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from connectors.vocabulary import Insurance, LiquidationOrder, OrderSide, Quote, Wallet
from daemon.core.events import (
    Event,
    InsuranceSeen,
    LiquidationSeen,
    MarkSeen,
    PositionSeen,
    Source,
    SpreadSeen,
    TimerFired,
    TopicSeen,
    WalletSeen,
)
from daemon.shell.records import NO_CHAIN, JournalCorrupt, Kind, decode_event, encode_event, sealed
from tests.fakes import START_NS, a_long
from tests.segments import records_in

EVENTS: tuple[Event, ...] = (
    TimerFired(at_ns=START_NS),
    MarkSeen(at_ns=START_NS, symbol="X", price=Decimal("100.10000000000000001")),
    PositionSeen(at_ns=START_NS, position=a_long(), source=Source.STREAM),
)


def a_segment() -> list[bytes]:
    """Three records as lines."""
    return [encode_event(number, event) for number, event in enumerate(EVENTS, start=7)]


def test_what_is_read_is_what_was_written() -> None:
    """Events come back equal, prices to the last digit, in one valid JSON object a line."""
    records = list(records_in(b"".join(a_segment()), origin="here"))
    assert [record.seq for record in records] == [7, 8, 9]
    assert {record.kind for record in records} == {Kind.EVENT}
    assert tuple(decode_event(record) for record in records) == EVENTS
    assert msgspec.json.decode(a_segment()[1])["name"] == "MarkSeen"


INPUTS: tuple[Event, ...] = (
    WalletSeen(
        at_ns=START_NS, wallet=Wallet(account=1, currency="XBt", transfers_sat=None, amount_sat=5, timestamp_ns=2)
    ),
    InsuranceSeen(at_ns=START_NS, insurance=Insurance(currency="XBt", balance_sat=10**15, timestamp_ns=1)),
    LiquidationSeen(
        at_ns=START_NS,
        liquidation=LiquidationOrder(
            order_id="o", symbol="X", side=OrderSide.SELL, price=Decimal("0.10"), leaves_quantity=3
        ),
        is_gone=True,
    ),
    SpreadSeen(at_ns=START_NS, quote=Quote(symbol="X", bid=None, ask=Decimal("1E-7"))),
    TopicSeen(at_ns=START_NS, topic="wallet", problem="refused: no"),
)


@pytest.mark.parametrize("event", INPUTS, ids=lambda event: type(event).__name__)
def test_inputs_come_back_equal(event: Event) -> None:
    """P9: wallets, fund, liquidations, spreads and missing topics are journalled like everything else."""
    (record,) = records_in(encode_event(1, event), origin="here")
    assert decode_event(record) == event


def test_a_torn_tail_is_left_out() -> None:
    """P7: a crash in the middle of a write costs the unfinished record and no other, wherever it was cut."""
    whole, last = b"".join(a_segment()[:2]), a_segment()[2]
    for cut in range(len(last) - 1):
        assert len(list(records_in(whole + last[:cut], origin="here"))) == 2


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40 + b"\n", b'{"crc":"00000000","seq":8}\n'])
def test_damage_in_the_middle_is_named_with_its_line(damage: bytes) -> None:
    """A good record behind a bad one is no torn tail: file and line are named."""
    first, _, third = a_segment()
    with pytest.raises(JournalCorrupt, match=r"here, line 2: "):
        list(records_in(first + damage + third, origin="here"))


def test_one_flipped_bit_is_found() -> None:
    """The checksum covers everything behind it."""
    first, second, third = a_segment()
    flipped = second.replace(b"100.1", b"100.2")
    with pytest.raises(JournalCorrupt, match="damaged"):
        list(records_in(first + flipped + third, origin="here"))


def test_an_event_of_another_build_is_refused_by_name() -> None:
    """A record that this build does not know must not be guessed at."""
    line = encode_event(1, EVENTS[0]).replace(b"TimerFired", b"TimerFoxed")
    record = msgspec.json.decode(
        b"{" + line[len(b'{"crc":"00000000",') :], type=type(next(records_in(a_segment()[0], origin="")))
    )
    with pytest.raises(msgspec.ValidationError, match="TimerFoxed"):
        decode_event(record)


def test_bytes_that_are_no_text_in_the_chain_are_a_bad_line_not_a_crash() -> None:
    """P7: the checksum does not cover the chain; a flipped bit there must not keep the guard from starting."""
    line, _ = sealed(encode_event(7, EVENTS[0]), NO_CHAIN.encode(), is_first=True)
    for place in range(len(line)):
        damaged = line[:place] + bytes([line[place] ^ 0x80]) + line[place + 1 :]
        assert list(records_in(damaged, origin="here")) == []


def test_a_record_that_is_whole_in_itself_and_of_another_journal_is_named() -> None:
    """P9: same number, same words, checksum and all, but hung behind another past: the chain tells."""
    ours = theirs = NO_CHAIN.encode()
    history: list[bytes] = []
    stranger = b""
    for number, (mine, other) in enumerate(zip(EVENTS, (EVENTS[1], EVENTS[1], EVENTS[2]), strict=True), start=7):
        line, ours = sealed(encode_event(number, mine), ours)
        stranger, theirs = sealed(encode_event(number, other), theirs)
        history.append(line)
    assert len(list(records_in(b"".join(history), origin="here"))) == 3
    with pytest.raises(JournalCorrupt, match="record 9 does not continue"):
        list(records_in(b"".join([*history[:2], stranger]), origin="here"))
