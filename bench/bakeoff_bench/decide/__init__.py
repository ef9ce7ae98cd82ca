"""``bakeoff decide``: which contestant meets a team's requirements, by the evidence of stored runs."""
