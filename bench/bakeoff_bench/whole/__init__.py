"""``bakeoff run``: the same sagas on every engine, a kill per crash point, a short load, one page."""
