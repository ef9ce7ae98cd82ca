"""How fast a long stored run is judged."""
