"""The services with their database, and the ledger from which every engine is judged."""

from bakeoff.world.fate import USUAL, Fate, Profile, behaviour
from bakeoff.world.ledger import Record
from bakeoff.world.participant import Participant, participant_of_this_process
from bakeoff.world.perform import Services, perform
from bakeoff.world.world import Totals, WorkerSeen, World

__all__ = [
    "USUAL",
    "Fate",
    "Participant",
    "Profile",
    "Record",
    "Services",
    "Totals",
    "WorkerSeen",
    "World",
    "behaviour",
    "participant_of_this_process",
    "perform",
]
