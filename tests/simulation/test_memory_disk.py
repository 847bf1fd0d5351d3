"""The disk that stands in for the journal's file: it drops as the real one does, or a sweep finds what is not there."""

from __future__ import annotations

from tests.simulation.memory_disk import MemoryDisk


def _record(seq: int) -> bytes:
    return b'{"seq":%d,"kind":"note","body":{}}' % seq


def test_nothing_follows_a_gap_inside_a_segment_though_the_disk_takes_records_again() -> None:
    """P7: it overflowed while it hung; until the journal notices and begins a segment, the rest is dropped."""
    disk = MemoryDisk(now_s=lambda: 1.0)
    disk.submit(_record(1), segment=1)
    disk.hang(room_bytes=50)
    for seq in (2, 3):
        disk.submit(_record(seq))
    assert disk.has_overflowed
    disk.go_on()
    disk.submit(_record(4))
    assert disk.submitted == 2
    disk.submit(_record(5), segment=5)
    disk.submit(_record(6))
    assert not disk.has_overflowed
    assert disk.segments().keys() == {1, 5}
