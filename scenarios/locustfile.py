"""For those who live in Locust: ``locust -f scenarios/locustfile.py --scenario NAME --engine ENGINE``.

See ``docs/locust.md``. The same loads without Locust's command line: ``bakeoff load --scenario NAME``.
"""

from bakeoff_bench.load.generator.locustfile import Load

__all__ = ["Load"]
