"""What a saga must come to, computed beforehand: a second implementation that shares nothing with the World.

It knows the saga model, the words of the fault plan (``docs/domain-faults.md``) and the semantics S1-S9
(``docs/semantics.md``), and simulates one saga step by step on paper. It imports neither the services nor
the fault injector, so that an error in one of them does not hide in both.
"""

from bakeoff.expectation.fates import FatePlan, drawn_fates
from bakeoff.expectation.prediction import Effect, Expectation, Facts, Mark
from bakeoff.expectation.simulation import expect

__all__ = ["Effect", "Expectation", "Facts", "FatePlan", "Mark", "drawn_fates", "expect"]
