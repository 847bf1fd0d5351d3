"""The pure core: events in, commands out. No clock, disk, network, log or chance in here."""
