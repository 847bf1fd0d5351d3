"""A program of its own that speaks to chats, mail and pagers, so that what they do cannot happen to the guard."""
