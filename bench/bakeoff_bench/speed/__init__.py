"""How fast the pieces are on this machine: printed, never asserted."""
