"""Judge the account rules, and do what a breach asks for.

Once a second, and after an operator's request, every rule that is not off is asked. What follows from its answers is
the same for all rules and stands here: a breach is told when it begins, again after a pause that doubles, and when it
is over; the strongest deed goes first (flatten, correct, freeze, alert), and where a symbol is being closed nothing
weaker is done to it; a rule that acted waits for its cool-down. A rule in shadow says what it would do, and nothing
else.

One message alone moves nothing: what a rule does beyond telling waits for a read of the account that was asked after
the breach began, and that leaves it standing. Rules with better witnesses of their own (`Rule.is_sure`) do not wait.

While the account is not seen nothing is judged: blind is neither safe nor a breach, so what stands goes on standing.

A deed that a person takes back is not repeated for the same breach: it waits until that is over. Two rules count anew
from there instead (`daily_loss`, `drawdown`), so that they hold again at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from config.account_rules import AccountRule
from config.modes import Action, Lift, RuleMode
from daemon.core import day_book
from daemon.core.account_rules import RULES
from daemon.core.account_rules.verdict import AccountView, Level, Rule, Verdict, account_view
from daemon.core.altered import altered
from daemon.core.draft import Draft
from daemon.core.folding.feeds import account_is_fresh
from daemon.core.judging import remedies, rule_words
from daemon.core.judging import unjudged as unjudged_rules
from daemon.core.market.marks import ns
from daemon.core.memory.interventions import LatchKind
from daemon.core.memory.rule_facts import RuleStanding
from daemon.core.reasons import Reason
from daemon.core.restraint import latches

LONGEST_PAUSE_NS: Final = 86_400 * 10**9
WITNESS_PATIENCE_NS: Final = 10 * 10**9
"""A breach that has lasted this long without a read was seen again and again: it counts without one."""
_STRENGTH: Final = {Action.FLATTEN: 0, Action.CORRECT: 1, Action.FREEZE: 2, Action.ALERT: 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Breach:
    """A breach that stands now, with everything that is needed to act on it."""

    key: str
    rule: Rule
    policy: AccountRule
    verdict: Verdict

    @property
    def action(self) -> Action:
        """What the rule does about it."""
        return Action.ALERT if self.verdict.is_alert_only else self.policy.action


def judge(draft: Draft) -> None:
    """Judge all rules. To be called once a second, and after an operator's request."""
    _note_lifts(draft)
    why = _cannot_see(draft)
    if why:
        unjudged_rules.note(draft, {unjudged_rules.EVERY_RULE: why})
        return
    day_book.keep(draft)
    _forget_closed(draft)
    view, unjudged = account_view(draft), dict[str, str]()
    standing = _standing(draft)
    breaches = [each for rule in RULES for each in _ask(draft, view, rule, standing.get(rule.name, {}), unjudged)]
    for each in sorted(breaches, key=lambda breach: _STRENGTH[breach.action]):
        _carry_out(draft, each)
    unjudged_rules.note(draft, unjudged)


def standing_key(rule: str, subject: str) -> str:
    """Key of a breach among `rules`; also its latch, if the subject is a symbol."""
    return f"{rule}:{subject}" if subject else rule


def _cannot_see(draft: Draft) -> str:
    if not draft.was_whole:
        return "the account was not read yet"
    return "" if account_is_fresh(draft) else "the account stream is not fresh"


def _forget_closed(draft: Draft) -> None:
    """Additions to positions that are gone count for nothing."""
    for symbol in [symbol for symbol in draft.additions if symbol not in draft.positions]:
        draft.remove("additions", symbol)


# ---------------------------------------------------------------------- what the rules say


def _standing(draft: Draft) -> dict[str, dict[str, RuleStanding]]:
    """What stands, by rule and subject."""
    found: dict[str, dict[str, RuleStanding]] = {}
    for each in draft.rules.values():
        found.setdefault(each.rule, {})[each.subject] = each
    return found


def _ask(
    draft: Draft, view: AccountView, rule: Rule, stood: dict[str, RuleStanding], unjudged: dict[str, str]
) -> Iterator[_Breach]:
    """Ask one rule, begin and end its breaches, and yield those that stand."""
    policy: AccountRule = getattr(draft.policy.account, rule.name)
    for subject in [subject for subject, each in stood.items() if each.mode is not policy.mode]:
        _drop(draft, stood.pop(subject))
    if policy.mode is RuleMode.OFF:
        return
    verdicts = {each.subject: each for each in rule.judge(view, policy)}
    unknown = [each for each in verdicts.values() if each.level is Level.UNKNOWN]
    if unknown:
        unjudged[rule.name] = rule_words.missing(unknown)
    for subject, each in stood.items():
        if subject not in verdicts and not _is_all_unknown(verdicts):
            _end(draft, rule, policy, each)
    yield from _breaches(draft, rule, policy, verdicts)


def _is_all_unknown(verdicts: dict[str, Verdict]) -> bool:
    return "" in verdicts and verdicts[""].level is Level.UNKNOWN


def _breaches(draft: Draft, rule: Rule, policy: AccountRule, verdicts: dict[str, Verdict]) -> Iterator[_Breach]:
    for subject, verdict in verdicts.items():
        if verdict.level is Level.DOUBTED:
            # Another row may come first; else the picture is the second witness.
            draft.want_picture(Reason.DOUBT, _doubted_since_ns(draft, subject))
        elif verdict.level is Level.OVER:
            key = standing_key(rule.name, subject)
            draft.put("rules", key, _begun(draft, rule, policy, verdict, draft.rules.get(key)))
            yield _Breach(key=key, rule=rule, policy=policy, verdict=verdict)


def _doubted_since_ns(draft: Draft, currency: str) -> int:
    book = draft.day_books.get(currency)
    return draft.now_ns if book is None else book.row_seen_ns + 1


def _begun(draft: Draft, rule: Rule, policy: AccountRule, verdict: Verdict, known: RuleStanding | None) -> RuleStanding:
    """The standing of a breach: a new one, the one that stands, or the one that was over for a moment."""
    if known is None:
        return RuleStanding(
            rule=rule.name,
            subject=verdict.subject,
            mode=policy.mode,
            action=policy.action,
            since_ns=draft.now_ns,
            text=verdict.text,
            pause_ns=ns(policy.cool_down_s),
        )
    if not known.ended_ns:
        return altered(known, text=verdict.text, action=policy.action)
    return altered(
        known,
        action=policy.action,
        since_ns=draft.now_ns,
        ended_ns=0,
        text=verdict.text,
        step=0,
        was_end_told=False,
        pause_ns=ns(policy.cool_down_s),
        is_waived=False,
        remedy=None,
        refusal="",
    )


# ---------------------------------------------------------------------- what is done


def _carry_out(draft: Draft, breach: _Breach) -> None:
    if breach.policy.mode is RuleMode.SHADOW:
        _say_shadow(draft, breach)
        return
    if not _is_witnessed(draft, breach):
        return
    was_said = _act(draft, breach)
    standing = draft.rules[breach.key]
    rose = breach.verdict.step > standing.step
    is_due = not standing.told_ns or draft.now_ns >= standing.told_ns + standing.pause_ns
    if not was_said and not is_due and not rose:
        return
    is_again = standing.since_ns <= standing.told_ns < draft.now_ns and not rose
    if not was_said:
        rule_words.tell(draft, standing, breach.policy, breach.verdict, breach.action, is_again=is_again)
    pause_ns = min(2 * standing.pause_ns, LONGEST_PAUSE_NS) if is_again else ns(breach.policy.cool_down_s)
    step = max(breach.verdict.step, standing.step)
    draft.put("rules", breach.key, altered(standing, told_ns=draft.now_ns, pause_ns=pause_ns, step=step))


def _is_witnessed(draft: Draft, breach: _Breach) -> bool:
    """Whether more than one message says so; if not, another is asked for."""
    since_ns = draft.rules[breach.key].since_ns
    if breach.rule.is_sure or breach.action is Action.ALERT or draft.now_ns >= since_ns + WITNESS_PATIENCE_NS:
        return True
    if draft.pictures.taken_ns > since_ns:
        return True
    draft.want_picture(Reason.DOUBT, since_ns + 1)
    return False


def _act(draft: Draft, breach: _Breach) -> bool:
    """Do what the rule asks for; whether the latch itself told people."""
    standing, action, scope = draft.rules[breach.key], breach.action, breach.verdict.scope
    if standing.is_waived or action is Action.ALERT:
        return False
    if action is not Action.FLATTEN and _is_flattening(draft, scope):
        return False
    if standing.acted_ns and standing.acted_ns < standing.since_ns and _is_cooling(draft, standing, breach.policy):
        return False
    if action is Action.CORRECT:
        return _correct(draft, breach, standing)
    latch = draft.latches.get(standing.latch) if standing.latch else None
    wanted = LatchKind.FLATTEN if action is Action.FLATTEN else LatchKind.FREEZE
    if latch is not None and (latch.kind is wanted or latch.kind is LatchKind.FLATTEN):
        return False
    name = breach.key if scope else standing.rule
    text = rule_words.cause(standing, breach.verdict)
    if action is Action.FLATTEN:
        news = latches.flatten(draft, name, symbols=scope, text=text)
    else:
        ends_ns = day_book.day_ends_ns(draft)
        news = latches.freeze(draft, name, text=text, lift=breach.policy.lift, day_ends_ns=ends_ns, symbols=scope)
    draft.put("rules", breach.key, altered(standing, latch=name, acted_ns=draft.now_ns))
    return news


def _correct(draft: Draft, breach: _Breach, standing: RuleStanding) -> bool:
    """Ask for the correction until the rows show it; what is to be corrected is worked out once per cool-down."""
    remedy = standing.remedy
    if remedy is None or not _is_cooling(draft, standing, breach.policy):
        remedy = remedies.chosen(draft, breach.verdict.remedy)
        standing = altered(standing, remedy=remedy, acted_ns=draft.now_ns)
    refusal = remedies.apply(draft, remedy, breach.verdict.text)
    # The first refusal of a breach is told at once; others may differ by a figure every second, and wait.
    told_ns = 0 if refusal and not standing.refusal else standing.told_ns
    draft.put("rules", breach.key, altered(standing, refusal=refusal or standing.refusal, told_ns=told_ns))
    return False


def _is_cooling(draft: Draft, standing: RuleStanding, policy: AccountRule) -> bool:
    return draft.now_ns < standing.acted_ns + ns(policy.cool_down_s)


def _is_flattening(draft: Draft, scope: tuple[str, ...]) -> bool:
    """Whether everything a deed would be about is being closed already."""
    flatten = [each for each in draft.latches.values() if each.kind is LatchKind.FLATTEN]
    if not scope:
        return any(not each.symbols for each in flatten)
    return all(any(each.concerns(symbol) for each in flatten) for symbol in scope)


def _say_shadow(draft: Draft, breach: _Breach) -> None:
    """Say once per breach, and not before the cool-down of the last time, what would be done."""
    standing = draft.rules[breach.key]
    cooling = standing.told_ns and draft.now_ns < standing.told_ns + ns(breach.policy.cool_down_s)
    rose = breach.verdict.step > standing.step
    if (standing.told_ns >= standing.since_ns or cooling) and not rose:
        return
    rule_words.tell_shadow(draft, standing, breach.verdict, breach.action)
    draft.put("rules", breach.key, altered(standing, told_ns=draft.now_ns, step=breach.verdict.step))


# ---------------------------------------------------------------------- ends


def _end(draft: Draft, rule: Rule, policy: AccountRule, standing: RuleStanding) -> None:
    """A breach is over: lift what ends with it, say so, and remember it until the cool-down is over."""
    key = standing_key(standing.rule, standing.subject)
    if not standing.ended_ns:
        if _ends_with_cause(draft, standing) and _is_cooling(draft, standing, policy):
            return
        if rule.ended is not None:
            rule.ended(draft, standing.subject)
        standing = _lifted_by_end(draft, altered(standing, ended_ns=draft.now_ns, remedy=None, refusal=""))
        if policy.mode is RuleMode.ON and standing.told_ns >= standing.since_ns:
            rule_words.tell_end(draft, standing)
            standing = altered(standing, was_end_told=True)
        draft.put("rules", key, standing)
    last_ns = max(standing.told_ns, standing.acted_ns) + ns(policy.cool_down_s)
    if not standing.latch and draft.now_ns >= last_ns:
        draft.remove("rules", key)


def _ends_with_cause(draft: Draft, standing: RuleStanding) -> bool:
    latch = draft.latches.get(standing.latch) if standing.latch else None
    return latch is not None and latch.kind is LatchKind.FREEZE and latch.lift is Lift.CLEARED


def _lifted_by_end(draft: Draft, standing: RuleStanding) -> RuleStanding:
    """Lift a freeze that ends with its cause, unless another subject of the rule still needs it."""
    if not _ends_with_cause(draft, standing):
        return standing
    others = (each for each in draft.rules.values() if each.subject != standing.subject)
    if not any(each.latch == standing.latch and not each.ended_ns for each in others):
        latches.lift(draft, standing.latch, f"the rule {standing.rule}, whose cause is over")
    return altered(standing, latch="")


def _drop(draft: Draft, standing: RuleStanding) -> None:
    """The rule was switched off, or into shadow: what ends with the cause ends; the rest waits for a person."""
    _lifted_by_end(draft, standing)
    draft.remove("rules", standing_key(standing.rule, standing.subject))


def _note_lifts(draft: Draft) -> None:
    """A latch of a rule is gone, and the rule did not lift it: a person did, or the day ended."""
    for key, standing in list(draft.rules.items()):
        if not standing.latch or standing.latch in draft.latches:
            continue
        rule = _BY_NAME.get(standing.rule)
        if rule is None or rule.lifted is None:
            draft.put("rules", key, altered(standing, latch="", is_waived=not standing.ended_ns, remedy=None))
            continue
        # It counts anew, so this breach is over and the next one is another.
        rule.lifted(draft, standing.subject)
        draft.put("rules", key, altered(standing, latch="", ended_ns=standing.ended_ns or draft.now_ns))


_BY_NAME: Final[dict[str, Rule]] = {rule.name: rule for rule in RULES}
