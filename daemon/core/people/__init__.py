"""What people are told: facts gathered into groups, told once, again and louder, acknowledged and silenced.

A fact comes in as a `RaiseAlert`; what leaves is a `Notify`. Pure: the only clock is that of the events.
"""
