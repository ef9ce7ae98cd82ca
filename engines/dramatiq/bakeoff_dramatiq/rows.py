"""The unique row of a start, holding the outcome at last, and the unique row of each signal.

Nothing here says which step is next: that is in the message. A row only makes one of several writers win.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bakeoff.deployment import Deployment
from bakeoff.outcome import Outcome
from bakeoff.saga import JSON, Element, Saga, Wait
from bakeoff_dramatiq import scripts
from bakeoff_dramatiq.connection import redis_client, results_address
from bakeoff_dramatiq.oneway import OneWay
from bakeoff_dramatiq.state import State, waits_of

#: How long the one who was told to publish may take before somebody else is told (milliseconds).
LEASE_MS = 2_000


class Rows:
    """Access to the rows of one deployment; safe to share between threads.

    Every method raises ``redis.RedisError`` when the results server cannot be reached.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.client = redis_client(results_address(deployment), deployment.settings)
        self.prefix = deployment.prefix
        self.channel = f"{deployment.prefix}outcomes"
        self._ttl_ms = int(deployment.settings["result_ttl_s"] * 1000)
        register = self.client.register_script
        self._claim, self._settle = register(scripts.CLAIM), register(scripts.SETTLE)
        self._arrive, self._signal = register(scripts.ARRIVE), register(scripts.SIGNAL)
        self._expire, self._compensate = register(scripts.EXPIRE), register(scripts.COMPENSATE)
        self._escalate, self._go_on = register(scripts.ESCALATE), register(scripts.GO_ON)
        self._pass, self._reopen = register(scripts.PASS), register(scripts.REOPEN)
        self._notes = OneWay(self.client)

    def saga_key(self, workflow_id: str) -> str:
        """Key of the row of a saga."""
        return f"{self.prefix}saga:{workflow_id}"

    def signal_key(self, workflow_id: str, wait: str) -> str:
        """Key of the row of the signal that a wait consumes."""
        return f"{self.prefix}signal:{workflow_id}:{wait}"

    def claim(self, saga: Saga, workflow_id: str, input: JSON) -> str:
        """Write the row of a start; block while another starter is publishing.

        Returns:
            ``new`` or ``again`` (publish now), ``known`` or ``conflict``.
        """
        digest = hashlib.sha256(json.dumps([saga.name, input], sort_keys=True).encode()).hexdigest()
        # The input is there for an operator who has to publish the saga again; nobody else reads it.
        arguments: list[str | int] = [digest, saga.name, LEASE_MS, json.dumps(input)]
        while True:
            word, wait_ms = self._claim([self.saga_key(workflow_id)], arguments)
            if word != b"busy":
                return str(word.decode())
            time.sleep(min(wait_ms, 50) / 1000)

    def published(self, key: str) -> None:
        """Note that what the row decided is on the broker.

        Nobody waits for the note: while it is on its way, the lease keeps a second starter from publishing.
        """
        self._notes.send("EVAL", scripts.PUBLISHED, 1, key)

    def begin(self, workflow_id: str, step: str) -> None:
        """Count, without waiting, that a worker has begun with the first attempt of a step."""
        self._notes.send("EVAL", scripts.BEGUN, 1, self.saga_key(workflow_id), f"begun:{step}", 1)

    def nothing_came(self, workflow_id: str, step: str) -> None:
        """Count back, without waiting: the attempt was declined, so its message may come again."""
        self._notes.send("EVAL", scripts.BEGUN, 1, self.saga_key(workflow_id), f"begun:{step}", -1)

    def begun(self, workflow_id: str, step: str) -> int:
        """How often that was, over all deliveries of the step's message, and not declined."""
        count: Any = self.client.hget(self.saga_key(workflow_id), f"begun:{step}")
        return int(count or 0)

    def compensate(
        self,
        workflow_id: str,
        message_id: str,
        rank: int,
        *,
        escalating: Sequence[str] = (),
        not_on: bool = False,
    ) -> bool:
        """Ask for the right to undo; the rank tells how far, see ``compensation.rank_of``.

        A redelivered message is told the same again. A copy of a step that fails as well, because its message
        was delivered twice, is told that others undo already, that the saga goes on with the
        escalation of one of the steps ``escalating`` or that it has completed. ``not_on``: it is the
        escalation that is not to be.
        """
        arguments: list[str | int] = [message_id, rank, int(not_on), *escalating]
        return bool(self._compensate([self.saga_key(workflow_id)], arguments) == 1)

    def escalate(self, workflow_id: str, message_id: str, step: str) -> str:
        """Ask for the right to hand over from an exhausted step to its escalation; as ``compensate``.

        Returns:
            ``go``, ``gone``, or ``passed`` if a copy of the step has succeeded.
        """
        word: bytes = self._escalate([self.saga_key(workflow_id)], [message_id, step])
        return word.decode()

    def may_pass(self, workflow_id: str, step: str) -> bool:
        """Let a step with an escalation be followed by the next one, unless a copy of it has handed over."""
        return bool(self._pass([self.saga_key(workflow_id)], [step]))

    def go_on(self, workflow_id: str) -> bool:
        """Note that the escalation begins; false if the saga turns back."""
        return bool(self._go_on([self.saga_key(workflow_id)]))

    def leave_out(self, workflow_id: str, elements: Iterable[Element]) -> None:
        """Note that the saga will not come to the waits among these: a signal is late from now on."""
        for wait in (element for element in elements if isinstance(element, Wait)):
            self.client.hsetnx(self.signal_key(workflow_id, wait.name), "decided", "left out")

    def settle(self, saga: Saga, workflow_id: str, outcome: Outcome) -> None:
        """Store the outcome and tell whoever waits for it; only the first one counts."""
        keys = [self.saga_key(workflow_id)]
        keys += [self.signal_key(workflow_id, wait.name) for wait in waits_of(saga)]
        text = json.dumps([workflow_id, outcome.to_json()], separators=(",", ":"))
        self._settle(keys, [text, self._ttl_ms, self.channel])

    def reopen(self, workflow_id: str, outcome: str) -> bool:
        """Take an outcome back, because it is to be replaced; false if it is another one by now."""
        return bool(self._reopen([self.saga_key(workflow_id)], [outcome]))

    def forget_that_it_passed(self, workflow_id: str, elements: Iterable[Element]) -> None:
        """Let a saga that is published again pass these waits again, by the signals that they were given."""
        for wait in (element for element in elements if isinstance(element, Wait)):
            key = self.signal_key(workflow_id, wait.name)
            self.client.hdel(key, "published", "decided", "claimed_until", "state")

    def arrive(self, wait: Wait, state: State) -> tuple[str, JSON]:
        """Park the saga at a wait: ``("go", payload)`` if the signal was earlier, ``waiting`` or ``gone``."""
        key = self.signal_key(state["workflow_id"], wait.name)
        word, payload = self._arrive([key], [json.dumps(state)])
        return word.decode(), json.loads(payload) if payload else None

    def signal(self, workflow_id: str, wait: str, signal_id: str, payload: JSON) -> tuple[str, State | None]:
        """Give a signal to its wait; block while another sender of the same signal is publishing.

        Returns:
            ``go`` or ``again`` with the state to publish, or one of ``kept``, ``repeated``, ``taken``,
            ``late``, ``unknown``.
        """
        keys = [self.saga_key(workflow_id), self.signal_key(workflow_id, wait)]
        while True:
            word, rest = self._signal(keys, [signal_id, json.dumps(payload), LEASE_MS])
            if word != b"busy":
                return word.decode(), json.loads(rest) if rest else None
            time.sleep(min(float(rest), 50) / 1000)

    def expire(self, wait: Wait, workflow_id: str) -> State | None:
        """End a wait by its timeout; return the state to go on with, ``None`` if the signal was faster."""
        word, state = self._expire([self.signal_key(workflow_id, wait.name)])
        return json.loads(state) if word == b"go" else None

    def row(self, workflow_id: str) -> dict[str, str]:
        """All fields of a saga's row; empty for an unknown saga."""
        return {k.decode(): v.decode() for k, v in self._hash(self.saga_key(workflow_id)).items()}

    def awaited(self, saga: Saga, workflow_id: str) -> str | None:
        """Name of the wait at which the saga is parked, if it is."""
        for wait in waits_of(saga):
            row = self._hash(self.signal_key(workflow_id, wait.name))
            if b"state" in row and b"decided" not in row:
                return wait.name
        return None

    def all(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Every ``(workflow id, row)`` of this deployment, in no order: a scan of the key space."""
        start = self.saga_key("")
        pattern = "".join(f"\\{c}" if c in "*?[]\\^" else c for c in start) + "*"
        for batch in _batches(self.client.scan_iter(match=pattern, count=1000), 500):
            with self.client.pipeline(transaction=False) as pipe:
                for key in batch:
                    pipe.hgetall(key)
                for key, row in zip(batch, pipe.execute(), strict=True):
                    yield key.decode()[len(start) :], {k.decode(): v.decode() for k, v in row.items()}

    def close(self) -> None:
        """Close every connection."""
        self._notes.close()
        self.client.close()
        self.client.connection_pool.disconnect()

    def _hash(self, key: str) -> dict[bytes, bytes]:
        row: Any = self.client.hgetall(key)
        return row  # type: ignore[no-any-return]


def _batches(keys: Iterator[Any], size: int) -> Iterator[Sequence[Any]]:
    batch: list[Any] = []
    for key in keys:
        batch.append(key)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
