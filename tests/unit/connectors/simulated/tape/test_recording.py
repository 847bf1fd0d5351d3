"""Recordings read back: sessions, trades, and files that are neither."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.simulated.tape.recording import RecordingError, read_recording

BOOK = (
    '{"table":"orderBookL2","action":"partial","filter":{"symbol":"XBTUSD"},"data":'
    '[{"symbol":"XBTUSD","id":1,"side":"Sell","size":500,"price":101.5}]}'
)
TRADE = (
    '{"timestamp":"2019-05-03T12:00:09.576Z","symbol":"XBTUSD","side":"Sell","size":18,"price":5700,'
    '"tickDirection":"ZeroMinusTick","trdMatchID":"e9836e7b-1c2d-d3f7-fbe4-2b9bd33c6f60"}'
)


def _file(folder: Path, text: str) -> Path:
    path = folder / "recording.txt"
    path.write_text(text)
    return path


def test_a_session_is_read_by_the_times_its_frames_arrived(tmp_path: Path) -> None:
    """Lines that were sent, settings and replies are passed over; the receive time is the event's."""
    text = "\n".join(
        [
            'configuration: {"trades":["BTC-USD"]}',
            "wss://somewhere/realtime <-> 1626993367.388",
            'wss://somewhere/realtime <- 1626993367.874: {"op":"subscribe","args":["orderBookL2:XBTUSD"]}',
            '1626993367.875: {"info":"Welcome"}',
            f"1626993368.25: {BOOK}",
        ]
    )
    (event,) = read_recording(_file(tmp_path, text))
    assert (event.at_ms, event.table, event.action) == (1_626_993_368_250, "orderBookL2", "partial")
    assert (event.rows[0].price, event.rows[0].size) == (Decimal("101.5"), 500)


def test_bare_rows_of_trades_are_inserts_at_their_own_time(tmp_path: Path) -> None:
    """`GET /trade` pages need no frames around them."""
    (event,) = read_recording(_file(tmp_path, TRADE))
    assert (event.table, event.action, event.at_ms) == ("trade", "insert", 1_556_884_809_576)


def test_csv_trades_turn_coins_into_contracts(tmp_path: Path) -> None:
    """A trade of 0.01 coin at 120,000 is 1,200 dollar contracts of XBTUSD."""
    text = "exchange_time_us,side,price,amount\n1760054406843000,buy,120000,0.01\n"
    (event,) = read_recording(_file(tmp_path, text))
    assert (event.at_ms, event.rows[0].symbol, event.rows[0].side, event.rows[0].size) == (
        1_760_054_406_843,
        "XBTUSD",
        "Buy",
        1_200,
    )


def test_times_never_go_back(tmp_path: Path) -> None:
    """A row stamped before its predecessor counts as simultaneous."""
    early = TRADE.replace("12:00:09", "12:00:05")
    times = [event.at_ms for event in read_recording(_file(tmp_path, f"{TRADE}\n{early}"))]
    assert times == [1_556_884_809_576] * 2


def test_gzip_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    """The name of the file does not matter."""
    path = tmp_path / "session"
    path.write_bytes(gzip.compress(TRADE.encode()))
    assert len(list(read_recording(path))) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is it a recording?"),
        (b'{"info":"Welcome"}\n', "is it a recording?"),
        (TRADE.encode() + b"\n" + TRADE.encode()[:-20], "line 2: cannot be read"),
        (b'{"table":"trade","action":"insert","data":[{"symbol":"XBTUSD","price":"x"}]}', "line 1: cannot be read"),
        (b"\x1f\x8b\x08\x00", "damaged or cut off"),
        (b"\xff\xfe\x00", "is not text"),
        (b"timestamp,side,price,size\n2020-01-01T00:00:00Z,Buy,-1,5\n", "line 2: is not a trade"),
        (b"timestamp,side,price,size\n2020-01-01T00:00:00Z,Buy,nan,5\n", "line 2: is not a trade"),
        (b"timestamp,side,price\n2020-01-01T00:00:00Z,Buy,5\n", "line 2: is not a trade"),
    ],
)
def test_a_file_that_cannot_be_played_says_where_and_why(tmp_path: Path, content: bytes, says: str) -> None:
    """One line with the file, the line and the reason."""
    path = tmp_path / "recording.txt"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=says) as raised:
        list(read_recording(path))
    assert str(raised.value).startswith(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """No traceback of the operating system."""
    with pytest.raises(RecordingError, match="No such file"):
        list(read_recording(tmp_path / "nowhere"))


def test_real_sessions_are_read_whole(real_data: Path) -> None:
    """Every market frame of two public sessions is an event; none is damaged or lost."""
    for name in ("bitmex-ws-public-2021-07-22.txt.gz", "bitmex-ws-public-2021-04-05.txt.gz"):
        path = real_data / "ws" / name
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        frames = [line for line in lines if '{"table":"' in line[:60]]
        assert len(list(read_recording(path))) == len(frames) > 2_000


def test_what_the_exchange_itself_recorded_is_read(tmp_path: Path) -> None:
    """Of `--record`'s lines the frames to the first connection that read a market count, at the times they went out."""
    frame = '{"table":"trade","action":"insert","data":[{"symbol":"XBTUSD","side":"Buy","size":100,"price":60000.5}]}'
    lines = [
        {"at_ms": 5, "link": 1, "kind": "request", "text": "{}"},
        {"at_ms": 6, "link": 2, "kind": "out", "text": '{"info":"Welcome"}'},
        {"at_ms": 7, "link": 3, "kind": "out", "text": frame},
        {"at_ms": 7, "link": 4, "kind": "out", "text": frame},
        {"at_ms": 9, "link": 3, "kind": "out", "text": frame},
    ]
    file = tmp_path / "recording.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert [event.at_ms for event in read_recording(file)] == [7, 9]
