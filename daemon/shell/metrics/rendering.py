"""The page, piece by piece, in the text format of Prometheus, written by its own client library.

Why pieces: rendering a thousand positions takes a while, and nothing else runs in the loop meanwhile. Each step of the
generator is a little work; whoever drives it decides how much of that is done at a time (`page.py`).

Imported only where metrics are served: the client library takes time to load.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from daemon.core.protecting.protection import Stage
from daemon.shell.metrics import catalogue as c
from daemon.shell.metrics.catalogue import CATALOGUE, Kind, Metric
from daemon.shell.metrics.position_samples import MOST_SYMBOLS, of_position, open_symbols, stage_of
from daemon.shell.metrics.samples import Sample, of_guard
from daemon.shell.metrics.snapshot import Running, Snapshot

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
POSITIONS_A_PIECE: Final = 8
SAMPLES_A_PIECE: Final = 100


def pieces(snapshot: Snapshot) -> Iterator[bytes]:
    """Yield the parts of a page, some of them empty: each is a bounded bit of work."""
    book: dict[str, list[Sample]] = {metric.name: [] for metric in CATALOGUE}
    for some in _samples(snapshot):
        for sample in some:
            book[sample.metric.name].append(sample)
        yield b""
    for samples in book.values():
        yield from _written(samples)
    yield _of_process()


def _samples(snapshot: Snapshot) -> Iterator[Iterable[Sample]]:
    yield of_guard(snapshot)
    if snapshot.running is not None:
        yield from _of_positions(snapshot.running, snapshot.now_ns)


def _of_positions(running: Running, now_ns: int) -> Iterator[list[Sample]]:
    state = running.state
    symbols = open_symbols(state)
    stages = Counter[Stage]()
    for start in range(0, len(symbols), POSITIONS_A_PIECE):
        some: list[Sample] = []
        for number, symbol in enumerate(symbols[start : start + POSITIONS_A_PIECE], start=start):
            stages[stage_of(state, symbol)] += 1
            if number < MOST_SYMBOLS:
                some += of_position(state, symbol, now_ns)
        yield some
    left_out = max(0, len(symbols) - MOST_SYMBOLS)
    yield [
        *(Sample(c.POSITIONS, (stage.value,), stages[stage]) for stage in Stage),
        Sample(c.POSITIONS_LEFT_OUT, (), left_out),
    ]


def _written(samples: Sequence[Sample]) -> Iterator[bytes]:
    """Write the samples of one metric, some at a time; its head stands once."""
    for start in range(0, len(samples), SAMPLES_A_PIECE):
        text = generate_latest(_These([_family(samples[0].metric, samples[start : start + SAMPLES_A_PIECE])]))
        yield text if start == 0 else _headless(text)


def _headless(text: bytes) -> bytes:
    """Leave out the two lines of help and type."""
    return text.split(b"\n", maxsplit=2)[2]


def _family(metric: Metric, samples: Iterable[Sample]) -> Family:
    if metric.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for _, labels, reading in samples:
            buckets, total = reading  # type: ignore[misc]  # histograms hold readings
            histogram.add_metric(labels, list(buckets), total)
        return histogram
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.help, labels=metric.labels)
    for _, labels, value in samples:
        family.add_metric(labels, float(value))  # type: ignore[arg-type]  # and the others numbers
    return family


class _These(Collector):
    """Gives the client library what it is to write."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


_PROCESS: Final = ProcessCollector(registry=None)


def _of_process() -> bytes:
    return generate_latest(_PROCESS)
