"""The services with their database, and the ledger from which every engine is judged."""

from bakeoff.world.fate import USUAL, Fate, Profile, behaviour
from bakeoff.world.ledger import Record
from bakeoff.world.participant import Participant, participant_of_this_process
from bakeoff.world.perform import perform
from bakeoff.world.points import Aim, Point, Reached, Window, arm, arm_all, disarm, reached, release
from bakeoff.world.services import Services
from bakeoff.world.world import Totals, WorkerSeen, World

__all__ = [
    "USUAL",
    "Aim",
    "Fate",
    "Participant",
    "Point",
    "Profile",
    "Reached",
    "Record",
    "Services",
    "Totals",
    "Window",
    "WorkerSeen",
    "World",
    "arm",
    "arm_all",
    "behaviour",
    "disarm",
    "participant_of_this_process",
    "perform",
    "reached",
    "release",
]
