"""An alert in words, for channels that take a title and a text. Pure.

The order is that in which a person at three in the morning asks: what happened, what was done, what comes next, what
can I do; then the figures.
"""

from __future__ import annotations

from datetime import UTC, datetime

from daemon.shell.alerts.message import Alert

LONGEST_TITLE = 120
LONGEST_TEXT = 3_000
"""Most chats take 4,096 signs."""
_MOST_FACTS = 20


def title_of(alert: Alert) -> str:
    """One line: how grave, what about, and the account where there are several."""
    grade = "resolved" if alert.is_resolved else (alert.level or alert.severity.value)
    about = " ".join(each for each in (alert.symbol, alert.topic, alert.state) if each).replace("_", " ")
    said = alert.title or about
    is_graded = said.upper().startswith((grade.upper(), "OVER:"))
    return _cut(said if is_graded else f"[{grade.upper()}] {said}", LONGEST_TITLE)


def text_of(alert: Alert) -> str:
    """The whole message."""
    parts = [
        alert.text,
        *(f"{name}: {words}" for name, words in _said(alert) if words),
        "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in list(alert.facts.items())[:_MOST_FACTS]),
        f"account {alert.account}, {moment(alert.raised_ns)}, {_counted(alert)}{alert.alert_id}",
    ]
    return _cut("\n\n".join(part for part in parts if part), LONGEST_TEXT)


def moment(at_ns: int) -> str:
    """A time for people, to the second: "2026-11-22 23:40:05 UTC"."""
    return datetime.fromtimestamp(at_ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _said(alert: Alert) -> tuple[tuple[str, str], ...]:
    return ("The guard did", alert.did), ("Next it will", alert.will), ("You can", alert.you_can)


def _counted(alert: Alert) -> str:
    return f"{alert.count} facts in one, " if alert.count > 1 else ""


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
