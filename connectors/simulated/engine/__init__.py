"""The exchange itself, pure: inputs in, replies and table changes out. Read `inputs` and `exchange` first.

The parts, lowest first; an import contract keeps them in this order:

    faults       what can be made to go wrong
    resting      orders, and the book they rest in
    holdings     who owns what, what it locks, and what the house has taken over
    markets      one market at a time: prices, liquidity, indices
    tables       rows of the public and order tables
    equity       how an account stands, its rows, its wallets
    trading      from a request to a fill
    taking_over  positions that end by the venue's hand

`world` holds it all, `steps` plays one step of the price tape, `exchange` is the one place that applies an input.
"""
