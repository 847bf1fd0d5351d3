"""The pure core: events in, commands out. No clock, disk, network, log or chance in here.

Read `events`, `commands`, `state` and `step` first. Each step folds the event into the view and then reconciles what it
touched (decision 2); the parts below are in that order, and an import contract keeps them in it, lowest first:

    margin          the liquidation engine: rows in, prices out
    stop_rules      where each rule wants a stop
    memory          what the guard remembers, as values that `state` puts together
    market          the mark, how far liquidation is, and what of that may be trusted
    restraint       latches, observing, a pause: what holds the guard back, or bids it act
    writes          requests that change something, until their fate is proved
    protecting      which stop a position asks for, what covers it, and the proof
    account_rules   what each rule of the account finds
    choke_point     whether a command may leave
    people          what is told to whom, and when again
    folding         rows, answers and whole pictures of the venue, folded into the view
    emergency       means beyond a stop
    judging         the rulebook over the account rules
    operators       what people ask of the guard

What reconciles stands beside them: `stops`, `switch`, `bots`, `tiers`, `clearing`, `doubts`, `halt`, `bands`,
`judgement`, `stopping`.
"""
