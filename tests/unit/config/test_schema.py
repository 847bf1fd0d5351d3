"""The schema and the catalogue: every key there is, the bounds that hold, and every profile valid under it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from config.bounds import Bounds, bounds_of
from config.catalogue import NAME, find, keys, titles
from config.load import SettingsError, load_settings
from config.relations import RELATIONS, related
from config.schema import DIALECT
from config.schema import schema as made_schema
from tests.schema_checker import problems

PROFILES = sorted((Path(__file__).resolve().parents[3] / "config" / "profiles").glob("*.toml"))
EMBEDDED = {
    "environment": "embedded",
    "rest_url": "http://127.0.0.1:1",
    "realtime_url": "ws://127.0.0.1:1/realtime",
}


@cache
def schema() -> dict[str, Any]:
    """The schema, made once."""
    return made_schema()


def numbers() -> list[str]:
    """Every key with an edge."""
    plain = Bounds()
    return [key.place for key in keys() if replace(bounds_of(key.place), words=()) != plain]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_every_profile_is_valid(profile: Path) -> None:
    """What an editor says about a profile: nothing."""
    assert problems(tomllib.loads(profile.read_text()), schema()) == []


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_every_example_in_a_comment_is_valid_too(profile: Path) -> None:
    """Lines that an operator is to take the sign away from are known to the schema."""
    text = re.sub(r"^# (\[[\w.]+\]|\w+ = )", r"\1", profile.read_text(), flags=re.MULTILINE)
    text = re.sub(r"^(environment = ).*", r'\1"embedded"', text, flags=re.MULTILINE)
    assert problems(tomllib.loads(text), schema()) == []


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({}, "venue"),
        ({"venue": {}}, "environment"),
        ({"venue": {"environment": "prod"}}, "venue.environment"),
        ({"venue": EMBEDDED, "stop": {"bufer_percent": 2}}, "stop.bufer_percent"),
        ({"venue": EMBEDDED, "stop": {"buffer_percent": "2"}}, "stop.buffer_percent"),
        ({"venue": EMBEDDED, "stop": {"buffer_percent": 0}}, "stop.buffer_percent"),
        ({"venue": EMBEDDED, "switch": {"timeout_s": 9}}, "switch.timeout_s"),
        ({"venue": EMBEDDED, "bots": {"maker": {"heartbeat": "never"}}}, "bots.maker.heartbeat"),
        ({"venue": EMBEDDED, "ladder": {"warn": ["sing"]}}, "ladder.warn"),
    ],
)
def test_what_is_wrong_is_found(document: dict[str, Any], complaint: str) -> None:
    """Names, kinds, choices and bounds, before the daemon is ever started."""
    assert any(complaint in each for each in problems(document, schema()))


def test_it_says_which_schema_it_is() -> None:
    """Editors choose their reading by it."""
    made = schema()
    assert made["$schema"] == DIALECT
    assert made["required"] == ["venue"]


def test_every_key_says_what_it_means() -> None:
    """A key without a word is a key that nobody dares to change."""
    described = schema()
    assert not [key.place for key in keys() if not key.meaning]
    for place in titles():
        table = described
        for part in place.split("."):
            table = table["additionalProperties"] if part == NAME else table["properties"][part]
        assert table["type"] == "object"


def test_there_are_bounds_at_all() -> None:
    """The words of the values are understood: most numbers have an edge."""
    assert len(numbers()) > 60
    assert str(bounds_of("switch.timeout_s")) == "at least 10 and at most 3600"
    assert str(bounds_of("tiers.watch_percent")) == "above 0 and below 100"


@pytest.mark.parametrize("place", numbers())
def test_a_bound_is_the_one_that_holds(place: str, tmp_path: Path) -> None:
    """Just beyond each edge the value itself refuses: the schema promises nothing that the daemon does not keep."""
    bounds, key = bounds_of(place), find(place)
    assert key is not None
    step = Decimal(1) if "int" in str(key.hint) else Decimal("0.001")
    beyond = [
        *([] if bounds.at_least is None else [bounds.at_least - step]),
        *([] if bounds.above is None else [bounds.above]),
        *([] if bounds.at_most is None else [bounds.at_most + step]),
        *([] if bounds.below is None else [bounds.below]),
    ]
    assert beyond
    for value in beyond:
        path = tmp_path / "seawall.toml"
        table = key.table.replace(NAME, "some")
        path.write_text(f'[venue]\nenvironment = "testnet"\n[{table}]\n{key.name} = {value}\n')
        with pytest.raises(SettingsError) as refused:
            load_settings(path)
        assert any(key.name in each or key.table in each for each in refused.value.problems)


@pytest.mark.parametrize("key", [key for key in keys() if key.default is not None], ids=lambda key: key.place)
def test_a_default_lies_within_its_own_bounds(key: Any) -> None:
    """And is of the kind that the schema says."""
    found = schema()
    for part in key.place.split("."):
        found = found["additionalProperties"] if part == NAME else found["properties"][part]
    assert problems(found["default"], found) == []


def test_relations_name_keys_that_there_are() -> None:
    """A key that is renamed takes its relations along."""
    known = {key.place for key in keys()}
    assert {place for one, other, _ in RELATIONS for place in (one, other)} <= known
    assert related("stop.floor_percent")[0][0] == "stop.buffer_percent"
    assert related("log.level") == ()


def test_a_key_below_a_name_of_the_operators_is_found() -> None:
    """`bots.quoter.id_prefix` is a key, `bots.quoter` and nonsense are none."""
    found = find("bots.quoter.id_prefix")
    assert found is not None
    assert found.place == "bots.NAME.id_prefix"
    assert find("bots.quoter") is None
    assert find("stop.nonsense") is None
