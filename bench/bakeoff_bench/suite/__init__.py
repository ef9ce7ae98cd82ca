"""What ``pytest bench`` is made of; the benchmarks themselves are in ``bench/test_*.py``."""
