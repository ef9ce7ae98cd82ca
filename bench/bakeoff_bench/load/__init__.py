"""``bakeoff load``: engines under load, measured from outside of them."""
