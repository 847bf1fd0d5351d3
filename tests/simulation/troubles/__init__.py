"""The catalogue of troubles: everything that an agenda may name.

Each module holds one kind of cause and ends in a hand-written tuple; a new trouble is a function and a row there.
"""

from __future__ import annotations

from tests.simulation.troubles.account import ACCOUNT
from tests.simulation.troubles.bots import BOTS
from tests.simulation.troubles.machine import MACHINE
from tests.simulation.troubles.market import MARKET
from tests.simulation.troubles.orders import ORDERS
from tests.simulation.troubles.people import PEOPLE
from tests.simulation.troubles.requests import REQUESTS
from tests.simulation.troubles.streams import STREAMS
from tests.simulation.troubles.switch import SWITCH
from tests.simulation.troubles.trouble import Trouble
from tests.simulation.troubles.venue import VENUE

TROUBLES: dict[str, Trouble] = {
    trouble.name: trouble
    for trouble in (
        *REQUESTS,
        *STREAMS,
        *MARKET,
        *ORDERS,
        *SWITCH,
        *BOTS,
        *ACCOUNT,
        *VENUE,
        *MACHINE,
        *PEOPLE,
    )
}
"""By name."""
