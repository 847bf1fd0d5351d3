"""What people do with a journal: check it, read it, shorten it, play it again, ask it why."""
