"""Worlds that once broke a promise, and what was wrong: each found by a sweep, made small, mended, and kept.

Why: a bug that a seed found comes back under another name unless the seed stays. A row brings its items along, so a
catalogue that grows changes nothing of it. What can be told shorter is a scene in `test_named_cases.py` instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from connectors.simulated.engine.switches import ClientIdReuse, Switches
from tests.simulation.agenda import Item
from tests.simulation.plans import Plan, plan_of


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedSeed:
    """One world, and the sentence of what broke in it."""

    broke: str
    plan: Plan
    """With its items; `replace(plan_of(7), items=...)` for what a sweep found."""


NAMED_SEEDS: tuple[NamedSeed, ...] = (
    NamedSeed(
        broke="the last stop went when stream and read said flat and the margin in use said otherwise",
        plan=Plan(
            seed=1010,
            minutes=2.0,
            items=(
                Item(6, 30.0, "bot acts", 0, 177_943_059_353_167),
                Item(8, 40.0, "no positions", 0, 82_161_277_842_143),
                Item(10, 54.0, "sources disagree", 0, 51_376_633_403_147),
                Item(11, 57.0, "bot acts", 0, 178_453_774_471_329),
            ),
        ),
    ),
    NamedSeed(
        broke="two guards cut a stop to the size that the stream told for a slow cycle, against every read",
        plan=Plan(
            seed=40165,
            minutes=2.5,
            guards=2,
            troubles=0,
            act_every_s=inf,
            items=(Item(9, 90.795, "sources disagree", 0, 143_167_141_671_514),),
        ),
    ),
    NamedSeed(
        broke="three stops rested: those of a second guard had been under way while the first one's came and went",
        plan=Plan(
            seed=600331,
            minutes=3.0,
            guards=2,
            troubles=0,
            act_every_s=inf,
            switches=Switches(client_id_reuse=ClientIdReuse.WHEN_CLOSED),
            items=(
                Item(28, 123.569, "bot acts", 1, 46_504_754_120_096),
                Item(29, 131.561, "late arrival", 1, 59_923_182_141_140),
                Item(30, 132.445, "order cancelled", 1, 70_495_199_856_198),
            ),
        ),
    ),
    NamedSeed(
        broke="a guard whose journal had lost its end moved its stop back from where it stood",
        plan=replace(
            plan_of(5200067, minutes=1.4),
            items=(
                Item(7, 24.604, "bot acts", 0, 187_404_817_055_664),
                Item(9, 57.419, "slow disk", 0, 133_379_214_972_276),
            ),
        ),
    ),
    NamedSeed(
        broke="a stop that was confirmed in the step of its replacement did not hold the new one, which rested looser",
        plan=replace(
            plan_of(5300001, minutes=1.5),
            items=(
                Item(13, 68.482, "down", 0, 51_827_423_989_466),
                Item(16, 83.757, "partial late", 0, 83_479_985_530_607),
                Item(44, 85.723, "operator reloads", 0, 213_283_023_426_736),
            ),
        ),
    ),
    NamedSeed(
        broke="two refusals for the rate were alike to the byte: the second was taken for an echo, and not heeded",
        plan=replace(
            plan_of(5300049, minutes=1.25),
            items=(
                Item(8, 35.477, "bot acts", 0, 10_038_152_339_338),
                Item(9, 37.578, "500", 0, 109_081_077_185_729),
                Item(10, 45.736, "bot acts", 0, 176_109_636_055_802),
                Item(11, 46.103, "bot acts", 0, 108_129_436_733_703),
                Item(12, 51.12, "bot acts", 0, 98_961_612_795_658),
                Item(13, 52.032, "bot acts", 0, 235_235_099_179_794),
                Item(14, 53.544, "flood", 0, 265_558_190_171_990),
                Item(15, 56.024, "500", 0, 61_021_136_758_563),
                Item(16, 65.562, "bot acts", 0, 65_089_413_040_252),
                Item(17, 67.507, "flood", 0, 200_288_334_642_753),
                Item(70, 17.555, "operator reloads", 0, 129_526_713_246_704),
                Item(71, 28.722, "operator reloads", 0, 130_740_447_811_936),
                Item(72, 47.882, "operator reloads", 0, 15_855_297_764_022),
                Item(73, 70.471, "operator reloads", 0, 146_698_177_994_105),
            ),
        ),
    ),
    NamedSeed(
        broke="a stop went for one that was told as resting and, a moment later, as rejected by the venue",
        plan=replace(
            plan_of(9340188, minutes=1.0),
            items=(
                Item(2, 18.96, "bot crowds stops", 0, 7_962_717_788_351),
                Item(4, 30.104, "bot acts", 0, 165_858_882_086_148),
                Item(7, 48.723, "request lost", 0, 142_832_899_965_873),
                Item(8, 50.546, "order rejected", 0, 81_522_909_398_280),
            ),
        ),
    ),
    NamedSeed(
        broke="a stop was cancelled whose row could not be read; a read that lagged behind hid it for half a minute",
        plan=replace(
            plan_of(1368, minutes=1.2),
            items=(
                Item(6, 30.653, "keys missing", 0, 158_113_182_706_873),
                Item(7, 31.001, "reads stale", 0, 177_021_483_984_283),
                Item(8, 42.326, "bot acts", 0, 251_881_550_237_611),
            ),
        ),
    ),
)
