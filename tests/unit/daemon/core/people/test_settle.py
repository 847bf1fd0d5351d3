"""What people hear: once for a cause, early, again and louder if nobody acts (P10)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import cast

import pytest

from config.alerting import Level
from config.policy import Tier
from daemon.core.altered import altered
from daemon.core.commands import Severity
from daemon.core.memory.alert_book import MOST_FACTS
from daemon.core.operator_requests import AcknowledgeAsked, SilenceAsked, UnsilenceAsked
from daemon.core.people.shown import shown
from tests.builders import SECOND, START_NS
from tests.unit.daemon.core.people.listener import Listener, alert


def causes(listener: Listener) -> list[str]:
    """Why each message was told."""
    return [each.cause for each in listener.heard]


def test_a_thousand_positions_are_one_message_with_the_most_exposed_first() -> None:
    """P10: a crash brings all near liquidation at once; five are named by exposure, the others counted."""
    listener = Listener()
    listener.tier(Tier.CRITICAL, *[f"S{number}" for number in range(998)], quantity=10)
    listener.tier(Tier.CRITICAL, "BIG", quantity=5_000)
    listener.tier(Tier.CRITICAL, "HUGE", quantity=-9_000)
    (told,) = listener.wait(10)
    assert (told.count, told.level, told.group) == (1_000, "critical", "distance")
    assert told.symbol == "HUGE"
    assert told.text.startswith("HUGE tier critical. BIG tier critical.")
    assert "And 995 more" in told.text
    assert told.title == "CRITICAL: near liquidation, HUGE and 999 more"
    assert [each.symbol for each in told.members[:2]] == ["HUGE", "BIG"]
    assert len(told.members) == 20


def test_every_message_says_what_was_done_what_comes_and_what_can_be_done() -> None:
    """P10: four questions, four answers, with figures."""
    listener = Listener()
    listener.tier(Tier.EMERGENCY, "XBTUSD")
    (told,) = listener.wait(2)
    assert told.did == "The open position has no confirmed resting stop."
    assert told.will
    assert "seawall flatten" in told.you_can
    assert "seawall ack distance" in told.you_can
    assert told.started_ns == listener.now - 2 * 10**9 or told.started_ns <= listener.now


def test_an_emergency_waits_a_second_and_a_watch_four() -> None:
    """P10: early: what is urgent is gathered for a moment only."""
    urgent, calm = Listener(), Listener()
    urgent.tier(Tier.EMERGENCY, "A")
    calm.tier(Tier.WATCH, "A")
    assert urgent.wait(1)
    assert not calm.wait(3)
    assert calm.wait(1)


def test_a_flapping_price_is_one_message() -> None:
    """P10: in and out of a tier for ten minutes, never out for a whole minute."""
    listener = Listener()
    for _ in range(20):
        listener.tier(Tier.WARN, "A")
        listener.wait(15)
        listener.tier(Tier.CALM, "A")
        listener.wait(15)
    assert causes(listener) == ["news"]


def test_what_gets_worse_is_told_without_waiting_for_the_update() -> None:
    """P10: warn, critical, emergency, each as soon as it is gathered."""
    listener = Listener()
    for tier, seconds in ((Tier.WARN, 4), (Tier.CRITICAL, 1), (Tier.EMERGENCY, 1)):
        listener.tier(tier, "A")
        assert [each.level for each in listener.wait(seconds)] == [tier.value]


def test_more_of_the_same_waits_for_the_update() -> None:
    """P10: a second position in the same tier is in the next message, a minute after the first."""
    listener = Listener()
    listener.tier(Tier.WARN, "A")
    listener.wait(4)
    listener.tier(Tier.WARN, "B")
    assert not listener.wait(59)
    (told,) = listener.wait(1)
    assert (told.cause, told.count, told.symbol) == ("news", 2, "B")


def test_the_end_is_told_once_after_a_minute() -> None:
    """P10: over is over when it has stayed away; then the group is forgotten."""
    listener = Listener()
    listener.tier(Tier.WARN, "A")
    listener.wait(4)
    listener.tier(Tier.CALM, "A")
    assert not listener.wait(59)
    (told,) = listener.wait(6)
    assert told.is_resolved
    assert (told.group, told.severity) == ("distance", Severity.NOTE)
    assert not listener.state.people.facts
    assert not listener.state.people.groups
    assert not listener.wait(600)


def test_a_fact_whose_end_nobody_told_ends_with_the_state() -> None:
    """P10: the position is gone; nobody raised calm, and nothing is repeated for ever."""
    listener = Listener()
    listener.tier(Tier.EMERGENCY, "A")
    listener.wait(2)
    listener.quietly("A", Tier.CALM)
    assert [each.cause for each in listener.wait(1_000)] == ["resolved"]


def test_what_eased_for_a_minute_is_news_when_it_gets_worse_again() -> None:
    """P10: emergency, a long quiet warn, emergency: told twice; a short dip is not."""
    listener = Listener(repeat_warn_s=Decimal(0))
    listener.tier(Tier.EMERGENCY, "A")
    listener.wait(2)
    listener.quietly("A", Tier.WARN)
    listener.wait(20)
    assert not listener.tier(Tier.EMERGENCY, "A") + listener.wait(20)
    listener.quietly("A", Tier.WARN)
    listener.wait(90)
    listener.tier(Tier.EMERGENCY, "A")
    assert [(each.cause, each.level) for each in listener.wait(2)] == [("news", "emergency")]


def test_repeats_by_level_until_acknowledged() -> None:
    """P10: an emergency is repeated every five minutes, and not after somebody has taken it on."""
    listener = Listener()
    listener.tier(Tier.EMERGENCY, "A")
    listener.wait(1_000)
    assert causes(listener) == ["news", "repeat", "repeat", "repeat"]
    assert listener.heard[-1].text.startswith("Still, after 15 min:")
    assert listener.ask(AcknowledgeAsked(key="distance")) == ""
    assert not listener.wait(3_000)


def test_what_was_over_before_anybody_heard_wakes_nobody_and_is_told() -> None:
    """P12: a critical of half a second is told as a warning that is over; when it comes back to stay, as critical."""
    listener = Listener()
    listener.degrade("misconfigured")
    listener.recover("misconfigured")
    (told,) = listener.wait(10)
    assert (told.level, told.cause) == ("warn", "news")
    assert "It is over by now." in told.text
    listener.degrade("misconfigured")
    assert [each.level for each in listener.wait(5)] == ["critical"]


def test_what_eased_before_anybody_heard_says_what_it_is_by_now() -> None:
    """P10: an emergency that the guard itself ended within a second."""
    listener = Listener()
    listener.tier(Tier.EMERGENCY, "A")
    listener.quietly("A", Tier.WATCH)
    (told,) = listener.wait(6)
    assert told.level == "watch"
    assert told.text == "A tier emergency. It is WATCH by now."


def test_a_watch_is_told_once() -> None:
    """Good to know is said once, however long it stands."""
    listener = Listener()
    listener.tier(Tier.WATCH, "A")
    listener.wait(4_000)
    assert causes(listener) == ["news"]


def test_nobody_acknowledges_so_it_goes_to_the_next_level() -> None:
    """P10: a critical goes by the way of an emergency after a quarter of an hour."""
    listener = Listener(repeat_critical_s=Decimal(0))
    listener.degrade("misconfigured")
    listener.wait(950)
    assert [(each.cause, each.level, each.route) for each in listener.heard] == [
        ("news", "critical", "critical"),
        ("escalation", "critical", "emergency"),
    ]
    assert "Nobody has acknowledged this for 15 min" in listener.heard[-1].text


def test_an_acknowledgement_stops_the_escalation() -> None:
    """P10: somebody has it; after four hours it is asked for anew."""
    listener = Listener()
    listener.degrade("misconfigured")
    listener.wait(10)
    listener.ask(AcknowledgeAsked(comment="looking at it"))
    assert not listener.wait(14_000)
    assert causes(listener) == ["news"]
    assert [each.cause for each in listener.wait(1_000)][:1] == ["repeat"]


@pytest.mark.parametrize("worse", ["level", "another"])
def test_an_acknowledgement_ends_when_it_gets_worse(worse: str) -> None:
    """P10: what was taken on was one position in critical, not an emergency and not two."""
    listener = Listener()
    listener.tier(Tier.CRITICAL, "A")
    listener.wait(2)
    listener.ask(AcknowledgeAsked())
    listener.tier(*((Tier.EMERGENCY, "A") if worse == "level" else (Tier.CRITICAL, "B")))
    assert [each.cause for each in listener.wait(20)] == ["news"]
    assert listener.wait(900)[0].cause in {"repeat", "escalation"}


def test_a_grave_event_is_repeated_until_somebody_takes_it_on() -> None:
    """P10: liquidated happened and is over; people are called until one answers."""
    listener = Listener()
    listener.say(alert("position", "liquidated", "A", Severity.CRITICAL))
    listener.wait(620)
    assert [each.level for each in listener.heard] == ["emergency"] * 3
    listener.ask(AcknowledgeAsked(key="position"))
    assert not listener.wait(600)
    assert not listener.state.people.facts


def test_a_blind_account_speaks_for_what_follows_from_it() -> None:
    """P10: what cannot be confirmed of a hundred positions is counted, not told; it is told once sight is back."""
    listener = Listener()
    listener.degrade("blind_account")
    listener.degrade("picture_overdue", Severity.WARNING)
    listener.wait(60)
    (told,) = listener.heard
    assert told.state == "blind_account"
    assert "1 more follow from other trouble" in told.text
    listener.recover("blind_account")
    assert any("picture_overdue" in each.text for each in listener.wait(120))


def test_a_silence_holds_what_it_names_and_never_an_emergency() -> None:
    """P10: a symbol is silenced; its warn is not told, its emergency is."""
    listener = Listener()
    assert listener.ask(SilenceAsked(seconds=3_600, comment="known", symbol="XBT*")) == ""
    listener.tier(Tier.CRITICAL, "XBTUSD")
    listener.tier(Tier.CRITICAL, "ETHUSD")
    assert [(each.symbol, each.count) for each in listener.wait(5)] == [("ETHUSD", 1)]
    listener.tier(Tier.EMERGENCY, "XBTUSD")
    assert [each.symbol for each in listener.wait(2)] == ["XBTUSD"]


def test_when_a_silence_ends_what_still_stands_is_told() -> None:
    """P10: a silence is for a while."""
    listener = Listener()
    listener.ask(SilenceAsked(seconds=600, comment="deploying"))
    listener.tier(Tier.CRITICAL, "A")
    assert not listener.wait(599)
    assert [each.symbol for each in listener.wait(6)] == ["A"]
    assert not listener.state.people.silences


def test_a_silence_can_be_ended() -> None:
    """By its name, or all."""
    listener = Listener()
    listener.ask(SilenceAsked(seconds=600, comment="deploying"))
    assert listener.ask(UnsilenceAsked(name="s2")) == "no silence is called s2; there are s1"
    assert listener.ask(UnsilenceAsked(name="s1")) == ""
    assert listener.ask(UnsilenceAsked()) == "nothing is silenced"


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (SilenceAsked(seconds=59, comment="x"), "a silence lasts from 60 s"),
        (SilenceAsked(seconds=700_000, comment="x"), "a silence lasts from 60 s"),
        (SilenceAsked(seconds=600, comment=" "), "say why"),
        (SilenceAsked(seconds=600, comment="x" * 501), "at most 500"),
        (AcknowledgeAsked(), "nothing stands"),
    ],
)
def test_what_makes_no_sense_is_refused(request_: SilenceAsked | AcknowledgeAsked, why: str) -> None:
    """Each with its reason."""
    assert why in Listener().ask(request_)


def test_quiet_hours_hold_a_warn_until_they_end_and_never_an_emergency() -> None:
    """P10: the night is the builders' START hour and the next; the warn comes in the morning."""
    hour = Listener().now // (3_600 * 10**9) % 24
    quiet = {"quiet_from": f"{hour:02d}:00", "quiet_until": f"{(hour + 1) % 24:02d}:00"}
    listener = Listener(**quiet)
    listener.tier(Tier.WARN, "A")
    listener.tier(Tier.EMERGENCY, "B")
    assert [each.level for each in listener.wait(5)] == ["emergency"]
    held = Listener(**quiet)
    held.tier(Tier.WARN, "A")
    before_ns = 3_600 * 10**9 - held.now % (3_600 * 10**9)
    assert not held.wait(before_ns // 10**9 - 1)
    assert [each.level for each in held.wait(7)] == ["warn"]


def test_two_thousand_facts_a_minute_are_a_few_messages_and_bounded_memory() -> None:
    """P10: whatever floods, people get a handful of messages, and what found no place is counted and said."""
    listener = Listener()
    for second in range(60):
        listener.say(*[alert("foreign", "strange", f"F{second}-{number}", Severity.WARNING) for number in range(50)])
        listener.wait(1)
    assert len(listener.state.people.facts) <= MOST_FACTS
    assert listener.state.people.dropped == 3_000 - MOST_FACTS
    listener.wait(61)
    assert len(listener.heard) <= 4
    assert any("found no place in memory" in each.text for each in listener.heard)


def test_a_full_book_makes_room_for_what_is_grave() -> None:
    """P10: two thousand notes do not keep a liquidation from people."""
    listener = Listener()
    listener.say(*[alert("foreign", "strange", f"F{number}") for number in range(MOST_FACTS)])
    listener.say(alert("position", "liquidated", "A", Severity.CRITICAL))
    assert "emergency" in [each.level for each in listener.wait(2)]
    assert len(listener.state.people.facts) == MOST_FACTS


def test_an_empty_book_is_left_alone() -> None:
    """Nothing raised, nothing due: the very same book."""
    listener = Listener()
    before = listener.state.people
    listener.wait(3)
    assert listener.state.people is before


def test_what_is_shown_names_facts_levels_and_silences() -> None:
    """For `seawall alerts`: the worst group first, its facts by exposure."""
    listener = Listener()
    listener.degrade("misconfigured")
    listener.tier(Tier.EMERGENCY, "A")
    listener.wait(2)
    listener.ask(SilenceAsked(seconds=600, comment="deploying", topic="degraded"))
    page = shown(listener.state)
    alerts, silences = page["alerts"], page["silences"]
    assert isinstance(alerts, list)
    assert isinstance(silences, list)
    assert [each["key"] for each in alerts] == ["distance", "means"]
    assert alerts[0]["facts"][0]["exposure_percent"] == 10.0
    assert alerts[1]["facts"][0]["silenced_by"] == "s1"
    assert (silences[0]["name"], silences[0]["who"], silences[0]["hushes"]) == ("s1", "ann", 1)


@pytest.mark.parametrize("ending", ["its stop is being placed", "no stop rests"])
def test_a_stop_that_came_after_the_sentence_is_said(ending: str) -> None:
    """P10: a tier is told as a position opens; who reads of it a minute later must not think that no stop rests."""
    listener = Listener()
    listener.tier(Tier.WARN, "A")
    listener.say(replace(alert("tier", "warn", "A"), text=f"A long is WARN: mark 1000, room 2.5 %; {ending}."))
    (group,) = cast("list[dict[str, object]]", shown(listener.state)["alerts"])
    assert group["text"] == f"A long is WARN: mark 1000, room 2.5 %; {ending}."
    listener.stop_rests("A")
    (group,) = cast("list[dict[str, object]]", shown(listener.state)["alerts"])
    (told,) = listener.wait(6)
    assert told.text == group["text"] == "A long is WARN: mark 1000, room 2.5 %; its stop rests by now."


def test_news_that_quiet_hours_hold_does_not_hold_the_escalation_of_what_was_told() -> None:
    """P10: a second trouble in the night does not make the first one quieter."""
    quiet = {"quiet_from": _clock(120), "quiet_until": _clock(8 * 3_600)}
    listener = Listener(**quiet, quiet_up_to=Level.CRITICAL)
    listener.tier(Tier.CRITICAL, "XBTUSD")
    listener.wait(300)
    listener.tier(Tier.CRITICAL, "ETHUSD")
    listener.wait(700)
    assert causes(listener) == ["news", "escalation"]
    assert listener.heard[-1].route == "emergency"
    assert {each.symbol for each in listener.heard[-1].members} == {"XBTUSD", "ETHUSD"}


def test_a_liquidation_is_said_until_somebody_takes_it_on() -> None:
    """P10: an emergency that happened is repeated for as long as nobody acknowledges, and not a moment longer."""
    listener = Listener()
    listener.say(alert("position", "liquidated", "XBTUSD", Severity.CRITICAL))
    told = listener.wait(3 * 3_600)
    assert len(told) == 36
    assert told[-1].text.startswith("Nobody has acknowledged this for 2 h 55 min: XBTUSD position liquidated.")
    listener.ask(AcknowledgeAsked(key="position", comment=""))
    assert listener.wait(7_200) == []
    assert not listener.state.people.groups


def test_an_acknowledged_liquidation_that_happens_again_is_news() -> None:
    """P10: who took on the first has not heard of the second, even seconds later."""
    listener = Listener()
    listener.say(alert("position", "liquidated", "XBTUSD", Severity.CRITICAL))
    listener.wait(10)
    listener.ask(AcknowledgeAsked(key="position", comment=""))
    listener.wait(40)
    listener.say(alert("position", "liquidated", "XBTUSD", Severity.CRITICAL))
    (again,) = listener.wait(20)
    assert (again.cause, again.text) == ("news", "XBTUSD position liquidated. (2 times)")


def test_an_acknowledged_event_that_goes_on_happening_is_news_when_the_acknowledgement_ends() -> None:
    """P10: below an emergency an acknowledgement holds for its time, and no longer."""
    listener = Listener()
    refused = alert("stop", "refused", "XBTUSD", Severity.CRITICAL)
    listener.say(refused)
    listener.wait(10)
    listener.ask(AcknowledgeAsked(key="", comment=""))
    began = len(listener.heard)
    for _ in range(4 * 72 + 4):  # every 50 s for four hours and three minutes
        listener.wait(50)
        listener.say(refused)
    listener.wait(2)
    assert [told.cause for told in listener.heard[began:]] == ["news"]


def test_quiet_hours_go_by_the_clocks_of_their_zone() -> None:
    """P10: the offset that the tick brings counts, so the same hour is quiet in one zone and not in another."""
    hour = (START_NS // SECOND + 2 * 3_600) // 3_600 % 24
    quiet = {"quiet_from": f"{hour:02d}:00", "quiet_until": f"{(hour + 1) % 24:02d}:00"}
    heard = []
    for offset_s in (0, 2 * 3_600):
        listener = Listener(**quiet)
        listener.state = altered(listener.state, health=altered(listener.state.health, zone_offset_s=offset_s))
        listener.tier(Tier.WARN, "XBTUSD")
        heard.append(causes(listener) or [each.cause for each in listener.wait(10)])
    assert heard == [["news"], []]


def test_an_end_goes_by_every_way_by_which_people_heard_of_the_trouble() -> None:
    """P10: told as critical, eased, told again as a warning: who was woken by the first hears that it is over, too."""
    listener = Listener()
    listener.tier(Tier.CRITICAL, "XBTUSD")
    listener.wait(10)
    listener.quietly("XBTUSD", Tier.WARN)
    listener.wait(3_700)
    listener.quietly("XBTUSD", Tier.CALM)
    listener.wait(80)
    assert [(each.cause, each.route, each.also) for each in listener.heard] == [
        ("news", "critical", ()),
        ("repeat", "warn", ()),
        ("resolved", "warn", ("critical",)),
    ]


def test_who_was_woken_by_an_escalation_hears_the_end() -> None:
    """P10: nobody acknowledged it for a quarter of an hour, so it went on to the level above."""
    listener = Listener()
    listener.degrade("misconfigured")
    listener.wait(920)
    listener.ask(AcknowledgeAsked(key="", comment=""))
    listener.recover("misconfigured")
    listener.wait(80)
    end = listener.heard[-1]
    assert (end.cause, {end.route, *end.also}) == ("resolved", {"critical", "emergency"})


def _clock(after_s: int) -> str:
    """The time of day so many seconds after the story begins, for the settings."""
    minute = (START_NS // SECOND + after_s) // 60 % 1_440
    return f"{minute // 60:02}:{minute % 60:02}"
