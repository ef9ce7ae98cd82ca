"""``bakeoff report``: stored runs as one page that works offline."""
