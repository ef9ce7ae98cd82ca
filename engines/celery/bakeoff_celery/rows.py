"""The unique row of a start and the unique row of each signal, in the result backend.

Nothing here says which step is next: that is in the message. A row only makes one of several writers win.
A signal's row is a Redis hash: a transaction (MULTI) writes a field once and reads the others at that moment.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bakeoff.deployment import Deployment
from bakeoff.saga import JSON
from bakeoff.telemetry import Headers, carried
from bakeoff_celery.state import State

#: Seconds that whoever won a row may take to publish before somebody else publishes in its place.
PUBLISHER_PATIENCE_S = 2.0


def start_key(deployment: Deployment, workflow_id: str) -> str:
    """Key of the row of a start."""
    return f"{deployment.prefix}bakeoff:saga:{workflow_id}"


def wait_key(deployment: Deployment, workflow_id: str, wait: str) -> str:
    """Key of the row of the signal that a wait consumes."""
    return f"{deployment.prefix}bakeoff:signal:{workflow_id}:{wait}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The row of a start: which saga, a digest of its input, when (Unix seconds), and whether published.

    ``input`` is the input as JSON, for an operator who has to publish the saga again; nobody else reads it.
    """

    saga: str
    digest: str
    at: float
    published: bool = False
    input: str | None = None

    @classmethod
    def new(cls, saga: str, input_text: str) -> Start:
        """Return the row of a start that happens now."""
        digest = hashlib.sha256(input_text.encode()).hexdigest()
        return cls(saga=saga, digest=digest, at=time.time(), input=input_text)

    @classmethod
    def of(cls, text: bytes) -> Start:
        """Reverse of ``text``."""
        return cls(**json.loads(text))

    def text(self, *, published: bool = False) -> str:
        """As the row holds it."""
        return json.dumps(asdict(self) | {"published": published})

    def same_as(self, other: Start) -> bool:
        """Tell whether both start the same saga with the same input (S6)."""
        return (self.saga, self.digest) == (other.saga, other.digest)


@dataclass(frozen=True, slots=True)
class Signal:
    """The row of a signal.

    Attributes:
        parked: State of the saga that waits; ``None`` before it has come so far.
        signal_id: Id of the signal that won; ``None`` if a timeout did, or nobody yet.
        payload: Of that signal.
        expired: The wait's timeout won.
        published: The next chain is on the broker.
        headers: That the saga came to the wait with.
    """

    parked: State | None
    signal_id: str | None
    payload: JSON
    expired: bool
    published: bool
    headers: Headers | None = None

    @property
    def ready(self) -> bool:
        """The saga waits, its signal is there, and nobody has published what follows."""
        return self.parked is not None and self.signal_id is not None and not self.published

    @classmethod
    def of(cls, row: Mapping[bytes, bytes]) -> Signal:
        """Read a hash."""
        answer: dict[str, Any] = json.loads(row.get(b"answer", b"{}"))
        parked = row.get(b"parked")
        return cls(
            json.loads(parked) if parked else None,
            answer.get("id"),
            answer.get("payload"),
            answer.get("expired", False),
            b"published" in row,
            json.loads(row[b"headers"]) if b"headers" in row else None,
        )


def park(client: Any, key: str, state: State, expires_s: int) -> Signal:
    """Write that the saga waits, with its state, and read the row; ``client`` is a blocking Redis client."""
    with client.pipeline(transaction=True) as pipe:
        pipe.hsetnx(key, "parked", json.dumps(state))
        if (headers := carried()) is not None:
            pipe.hsetnx(key, "headers", json.dumps(dict(headers)))
        pipe.expire(key, expires_s)
        pipe.hgetall(key)
        return Signal.of(pipe.execute()[-1])


def expire(client: Any, key: str) -> tuple[bool, Signal]:
    """Let the timeout win if nobody has; return whether it won now, and the row."""
    with client.pipeline(transaction=True) as pipe:
        pipe.hsetnx(key, "answer", json.dumps({"expired": True}))
        pipe.hgetall(key)
        won, row = pipe.execute()
    return bool(won), Signal.of(row)


def leave_out(client: Any, key: str, expires_s: int) -> None:
    """Let nobody answer a wait to which the saga will not come: a signal is late from now on."""
    with client.pipeline(transaction=True) as pipe:
        pipe.hsetnx(key, "answer", json.dumps({"left out": True}))
        pipe.expire(key, expires_s)
        pipe.execute()


def now() -> str:
    """Unix seconds as the rows hold them."""
    return repr(time.time())
