"""What a deployment costs, its servers included; what its histories cost."""

from bakeoff_bench.meter.cpu import cpu_seconds
from bakeoff_bench.meter.history import HistoryCost, SagaHistory, cost_per_1000, history_cost
from bakeoff_bench.meter.meter import SAMPLE_EVERY_S, ResourceMeter
from bakeoff_bench.meter.reading import memory_bytes
from bakeoff_bench.meter.roles import Role
from bakeoff_bench.meter.storage import Stored, stored
from bakeoff_bench.meter.usage import ResourceUsage, RoleUsage, Sample

__all__ = [
    "SAMPLE_EVERY_S",
    "HistoryCost",
    "ResourceMeter",
    "ResourceUsage",
    "Role",
    "RoleUsage",
    "SagaHistory",
    "Sample",
    "Stored",
    "cost_per_1000",
    "cpu_seconds",
    "history_cost",
    "memory_bytes",
    "stored",
]
