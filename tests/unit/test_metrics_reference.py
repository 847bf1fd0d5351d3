"""Metrics as documents, alert rules and dashboard name them are those that the guard gives, with their labels.

Run as a module (`python -m tests.unit.test_metrics_reference`), this writes the table of `docs/metrics.md` anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from daemon.shell.metrics.catalogue import CATALOGUE, LIBRARY, Kind, Metric
from tests.unit.daemon.shell.metrics.pages import a_full_page

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = REPOSITORY / "docs" / "metrics.md"
RULES = REPOSITORY / "deploy" / "prometheus" / "seawall.rules.yml"
STORIES = REPOSITORY / "deploy" / "prometheus" / "seawall.rules.test.yml"
DASHBOARD = REPOSITORY / "deploy" / "grafana" / "seawall.json"
_MARKS = re.compile(r"(<!-- metrics -->\n).*(<!-- end of metrics -->)", re.DOTALL)
_UNITS = ("_seconds", "_ratio", "_info", "_total", "_volatilities", "_probability", "_price", "_contracts", "_records")
_PLAIN = frozenset(
    {
        "seawall_mode",
        "seawall_observing",
        "seawall_degraded",
        "seawall_latches",
        "seawall_rule_broken",
        "seawall_bot_silent",
        "seawall_positions",
        "seawall_positions_left_out",
        "seawall_position_tier",
        "seawall_position_stop_state",
        "seawall_feed_live",
        "seawall_unproved_requests",
        "seawall_requests_in_flight",
        "seawall_switch_state",
        "seawall_request_budget_remaining",
        "seawall_request_budget_capacity",
        "seawall_request_budget_reserve",
        "seawall_request_budget_banned",
        "seawall_journal_ok",
        "seawall_alerts_waiting",
        "seawall_alert_facts",
        "seawall_alert_facts_inhibited",
        "seawall_silences",
    }
)
"""Counts of things, and 0 or 1: they have no unit."""
_SELECTOR = re.compile(r"\b((?:seawall|process)_[a-z_]+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_OF_PROMETHEUS = frozenset({"job", "instance", "le"})


def reference() -> str:
    """A table of every metric, in the order of the page."""
    rows = "".join(
        f"| `{each.name}` | {each.kind.value} | {', '.join(f'`{label}`' for label in each.labels)} | {each.help} |\n"
        for each in CATALOGUE
    )
    return f"| name | kind | labels | meaning |\n|---|---|---|---|\n{rows}"


def test_the_page_of_metrics_is_that_of_the_code() -> None:
    """A metric changed: `python -m tests.unit.test_metrics_reference` writes the table anew."""
    found = _MARKS.search(DOCUMENT.read_text())
    assert found is not None
    assert found.group(0) == f"{found.group(1)}{reference()}{found.group(2)}"


def test_names_follow_the_conventions() -> None:
    """Prefix, base unit, `_total` for counters and nothing else, no label of Prometheus's own, help in a sentence."""
    assert len({each.name for each in CATALOGUE}) == len(CATALOGUE)
    for each in CATALOGUE:
        assert re.fullmatch(r"seawall_[a-z]+(_[a-z]+)*", each.name)
        assert each.name.endswith("_total") == (each.kind is Kind.COUNTER)
        assert each.name.endswith(_UNITS) or each.name in _PLAIN, each.name
        assert each.help.endswith("."), each.name
        assert not set(each.labels) & {"le", "job", "instance", "quantile"}


# ---------------------------------------------------------------------- who uses them


@cache
def series() -> dict[str, dict[str, set[str]]]:
    """Every series name of a page on which everything has a value, with its labels and their values."""
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(a_full_page().decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return found


def selectors(expression: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Every metric that a query names, with its label matchers."""
    for name, inside in _SELECTOR.findall(expression):
        yield name, _MATCHER.findall(inside)


def problems_of(expression: str) -> list[str]:
    """What a query asks for that no guard gives."""
    found = []
    for name, matchers in selectors(expression):
        if name not in series():
            found.append(f"{name} is not given")
            continue
        for label, how, value in matchers:
            known = series()[name].get(label)
            if label in _OF_PROMETHEUS or value.startswith("$"):
                continue
            if known is None:
                found.append(f"{name} has no label {label}")
            elif label in _FIXED and not {*(value.split("|") if how == "=~" else [value])} <= known:
                found.append(f"{name}: {label} is never {value}")
    for labels in re.findall(r"\b(?:by|on|without|ignoring) \(([^)]*)\)", expression):
        of_names = {label for name, _ in selectors(expression) for label in series().get(name, {})} | _OF_PROMETHEUS
        found += [f"no label {label}" for label in re.split(r",\s*", labels) if label not in of_names]
    return found


_FIXED = frozenset(
    {"mode", "state", "stage", "feed", "sign", "command", "outcome", "trigger", "errand", "kind", "result"}
)
"""Labels whose values come from an enum."""


def rules() -> list[dict[str, Any]]:
    """Every alert rule."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> list[tuple[str, str]]:
    """Every query of the dashboard, by its panel."""
    board = json.loads(DASHBOARD.read_text())
    found = [(panel["title"], each["expr"]) for panel in board["panels"] for each in panel.get("targets", ())]
    found += [(each["name"], each["query"]["query"]) for each in board["templating"]["list"] if each["type"] == "query"]
    return found + [(each["name"], each["expr"]) for each in board["annotations"]["list"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_rule_asks_for_what_there_is(rule: dict[str, Any]) -> None:
    """Each rule names metrics, labels and values that the guard gives, has a severity, and a chapter in the docs."""
    assert not problems_of(rule["expr"])
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    chapter = DOCUMENT.read_text().partition(f"\n### {rule['alert']}\n")[2].partition("\n### ")[0]
    assert f"`{rule['expr']}`" in chapter
    assert rule["annotations"]["description"] in chapter
    words = set(re.findall(r"\$labels\.([a-z_]+)", rule["annotations"]["summary"]))
    assert words <= {label for name, _ in selectors(rule["expr"]) for label in series()[name]}


def test_every_alert_rule_fires_and_stays_quiet_in_a_story() -> None:
    """`make promtool` plays both for each rule, and there is no story of a rule that is gone."""
    fires: set[str] = set()
    quiet: set[str] = set()
    for story in yaml.safe_load(STORIES.read_text())["tests"]:
        for each in story["alert_rule_test"]:
            (fires if each["exp_alerts"] else quiet).add(each["alertname"])
        for given in story.get("input_series", ()):
            assert not [problem for problem in problems_of(given["series"]) if "is not given" in problem]
    names = {rule["alert"] for rule in rules()}
    assert fires == names
    assert quiet == names


@pytest.mark.parametrize(("panel", "query"), queries(), ids=lambda text: text[:40])
def test_the_dashboard_asks_for_what_there_is(panel: str, query: str) -> None:
    """Each query of each panel names metrics, labels and values that the guard gives."""
    assert list(selectors(query)), panel
    assert not problems_of(query)


def test_the_dashboard_shows_every_metric() -> None:
    """No metric is given that nobody sees; legends name labels that are there; panels do not overlap."""
    shown = {re.sub(r"_bucket$", "", name) for _, query in queries() for name, _ in selectors(query)}
    assert {each.name for each in CATALOGUE} <= shown
    board = json.loads(DASHBOARD.read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not mine & cells, panel["title"]
        cells |= mine
        for each in panel.get("targets", ()):
            labels = {label for name, _ in selectors(each["expr"]) for label in series()[name]}
            assert set(re.findall(r"\{\{([a-z_]+)\}\}", each["legendFormat"])) <= labels, panel["title"]


def test_a_full_page_has_every_metric_and_no_other() -> None:
    """The page that the others are checked against: every metric of the table has a series there, with its labels."""
    given = series()
    expected = {name for each in CATALOGUE for name in names_of(each)} | {*LIBRARY}
    assert set(given) - {*LIBRARY} == expected - {*LIBRARY}
    for each in CATALOGUE:
        assert {label for name in names_of(each) for label in given[name]} - {"le"} == set(each.labels)


def names_of(metric: Metric) -> list[str]:
    """The names of a metric's series."""
    if metric.kind is Kind.HISTOGRAM:
        return [f"{metric.name}_{part}" for part in ("bucket", "count", "sum")]
    return [metric.name]


if __name__ == "__main__":
    DOCUMENT.write_text(
        _MARKS.sub(lambda found: f"{found.group(1)}{reference()}{found.group(2)}", DOCUMENT.read_text())
    )
