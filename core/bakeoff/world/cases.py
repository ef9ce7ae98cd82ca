"""What processes beyond the order handle: an account, an invoice, a request, each with a state.

One table for all kinds: such a *case* has an id, a state, and what its service keeps about it.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert

from bakeoff.saga import JSON
from bakeoff.world import schema

_cases = schema.cases


def put(tx: Connection, kind: str, case_id: str, state: str, about: JSON = None) -> None:
    """Write down the state of a case, whatever it was before."""
    tx.execute(delete(_cases).where(_cases.c.kind == kind, _cases.c.case_id == case_id))
    tx.execute(insert(_cases), {"kind": kind, "case_id": case_id, "state": state, "about": about})
