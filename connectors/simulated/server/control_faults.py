"""The part of the control API that breaks things: faults, prices by hand, announcements.

Why: a scenario, a test harness and a person at the command line set the same faults in the same way.

    GET    /faults                                   catalogue, and what is set with its hits
    POST   /faults {"name": "reply-lost", "verb": "POST", "count": 1, "ending": "hang"}
    DELETE /faults?name=&number=                     all without either
    POST   /prices {"symbol": "XBTUSD", "mark": 48000} or {"percent": -10, "what": "mark"}
    DELETE /prices                                   as the tape says again
    POST   /announcements {"title": "", "content": "", "link": "", "urgent": false}

A field of a fault that is not one of `FIELDS` is a parameter of it.

Units: milliseconds of protocol time; `probability` from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from connectors.simulated.engine.faults.board import ActiveFault
from connectors.simulated.engine.faults.catalogue import CATALOGUE
from connectors.simulated.engine.faults.kinds import FaultKind, Parameter, Place
from connectors.simulated.engine.inputs import Announce, ClearFault, SetFault
from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.params import Params
from connectors.simulated.server.venue import Venue

FIELDS = frozenset(SetFault.__struct_fields__) - {"parameters", "seed"}
_BY_HAND = ("price-pinned", "price-moved")


class FaultControl:
    """The handlers."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def show(self, _params: Params) -> object:
        """Return the catalogue and what is set."""
        active = self._venue.exchange.faults().active.values()
        return {
            "catalogue": [_described(kind) for kind in CATALOGUE.values()],
            "active": [self._shown(one) for one in active],
        }

    def set(self, params: Params) -> object:
        """Set a fault; return its number."""
        fault = fault_of(params, seed=self._venue.settings.seed)
        reply = self._venue.submit(fault)
        if CATALOGUE[fault.name].place is Place.TAPE:
            self._venue.repeat_prices()  # so that they show it at once
        return reply

    def clear(self, params: Params) -> object:
        """Clear one, those of a name, or all."""
        reply = self._venue.submit(ClearFault(number=params.whole("number"), name=params.text("name")))
        self._venue.repeat_prices()
        return reply

    def set_prices(self, params: Params) -> object:
        """Pin or push prices of a symbol, in place of what was done to them by hand before."""
        symbol = params.required_text("symbol")
        is_push = params.has("percent")
        names = ("percent", "what") if is_push else ("mark", "last", "index")
        given = {name: text for name in names if (text := params.text(name)) is not None}
        if not given:
            raise Refused("give mark, last or index, or percent")
        fault = SetFault(name="price-moved" if is_push else "price-pinned", parameters={**given}, symbol=symbol)
        before = self._by_hand(symbol)
        reply = self._venue.submit(fault)
        for number in before:
            self._venue.submit(ClearFault(number=number))
        self._venue.repeat_prices()
        return reply

    def clear_prices(self, params: Params) -> object:
        """Let prices be as the tape says."""
        numbers = self._by_hand(params.text("symbol"))
        for number in numbers:
            self._venue.submit(ClearFault(number=number))
        self._venue.repeat_prices()
        return {"cleared": len(numbers)}

    def announce(self, params: Params) -> object:
        """Announce something to everybody."""
        return self._venue.submit(
            Announce(
                title=params.required_text("title"),
                content=params.text("content") or "",
                link=params.text("link") or "",
                is_urgent=params.flag("urgent", default=False),
            )
        )

    def _by_hand(self, symbol: str | None) -> list[int]:
        active = self._venue.exchange.faults().active.values()
        return [
            one.number
            for one in active
            if one.fault.name in _BY_HAND and (symbol is None or one.fault.symbol == symbol)
        ]

    def _shown(self, one: ActiveFault) -> dict[str, object]:
        scope = {name: value for name in sorted(one.kind.scopes) if (value := getattr(one.fault, name)) is not None}
        return {
            "number": one.number,
            "name": one.fault.name,
            "parameters": {name: str(v) if isinstance(v, Decimal) else v for name, v in one.parameters.items()},
            "scope": scope,
            "count": one.most_hits,
            "probability": one.fault.probability,
            "hits": self._venue.faults.keeper.hits(one),
            "set_ms": one.set_ms,
            "from_ms": one.set_ms + one.fault.delay_ms,
            "until_ms": one.until_ms,
            "is_on": one.is_on(self._venue.clock(), hits=self._venue.faults.keeper.hits(one)),
        }


def fault_of(params: Params, *, seed: int) -> SetFault:
    """Return the fault that the fields of a request describe.

    Raises:
        Refused: If a field cannot be read; whether the fault takes it is for the engine to say.
    """
    probability = params.decimal("probability")
    return SetFault(
        name=params.required_text("name"),
        parameters={name: params.text(name) or "" for name in params.fields() if name not in FIELDS},
        account=params.whole("account"),
        verb=params.text("verb"),
        path=params.text("path"),
        operation=params.text("operation"),
        table=params.text("table"),
        symbol=params.text("symbol"),
        count=params.whole("count"),
        probability=Decimal(1) if probability is None else probability,
        seed=seed,
        delay_ms=params.whole("delay_ms") or 0,
        duration_ms=params.whole("duration_ms"),
    )


def _described(kind: FaultKind) -> Mapping[str, object]:
    return {
        "name": kind.name,
        "place": kind.place.value,
        "meaning": kind.meaning,
        "parameters": [_parameter(one) for one in kind.parameters],
        "count": kind.count,
        "limited_to": sorted(kind.scopes),
    }


def _parameter(one: Parameter) -> Mapping[str, object]:
    return {
        "name": one.name,
        "sort": one.sort.value,
        "default": str(one.default) if isinstance(one.default, Decimal) else one.default,
        "choices": one.choices,
        "meaning": one.meaning,
    }
