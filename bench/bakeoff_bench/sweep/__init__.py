"""What a setting does to orders: the same kills for every value of it."""
