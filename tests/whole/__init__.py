"""``bakeoff run`` with all of its parts."""
