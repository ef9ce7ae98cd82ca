"""``bakeoff tune``: a search for the fastest settings of an engine that keep what it promises."""
