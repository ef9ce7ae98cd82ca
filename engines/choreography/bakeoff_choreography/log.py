"""The log: one JetStream stream per deployment, which takes every fact once, and what is read from it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import nats
import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RePublish, StorageType, StreamConfig
from nats.js.errors import APIError

from bakeoff.deployment import Deployment
from bakeoff.errors import ServerAwayError, UsageError
from bakeoff.servers import server_away
from bakeoff_choreography.events import Act, Event, Subjects

#: What the library raises when the server does not answer, or not as it should.
SILENCES = (nats.errors.Error, OSError, TimeoutError)
#: ``wrong last sequence``: the family has its event already; ``stream name already in use`` differently.
_REFUSED, _DIFFERS = 10071, 10058
_DURABLE = "participants"
_CONNECT_S, _RECONNECT_S, _ANSWER_S = 5.0, 0.2, 5.0
#: The first server that refuses by family, schedules messages and publishes again what it has stored.
_OLDEST = (2, 12)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it is stored; ``at`` in Unix seconds."""

    event: Event
    at: float
    size_bytes: int


class Log:
    """A connection to the log of a deployment.

    Attributes:
        before: Last number of the log when the connection (last) began: what is not behind it may have been
            heard before, whatever the server says: a killed one forgets acknowledgements.
        doubt: Last number of the log when another server process answered than before: attempts may be under
            way of which that one knows nothing.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.subjects = Subjects(deployment.prefix)
        self.client = Client()
        self.before = self.doubt = math.inf
        self._server_id, self._restarted = "", 0
        #: Set whenever the connection is back.
        self.back = asyncio.Event()

    @classmethod
    async def connect(cls, deployment: Deployment, name: str) -> Log:
        """Connect, and make the log if it is not there.

        Raises:
            ServerAwayError: If nobody answers, or refuses the credentials.
            UsageError: If the server is too old.
        """
        log = cls(deployment)
        try:
            async with asyncio.timeout(_CONNECT_S):
                await log.client.connect(
                    deployment.addresses["broker"],
                    name=name,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT_S,  # type: ignore[arg-type]
                    connect_timeout=int(_CONNECT_S),
                    error_cb=_quiet,
                    disconnected_cb=log._disconnected,
                    reconnected_cb=log._reconnected,
                )
            version = log.client.connected_server_version
            if (version.major, version.minor) < _OLDEST:
                raise UsageError(
                    f"nats-server {version} is too old for choreography: "
                    f"it needs {_OLDEST[0]}.{_OLDEST[1]} or newer"
                )
            await log.prepare()
        except SILENCES as error:
            await log.close()
            raise server_away(deployment, "broker", error) from error
        except BaseException:
            await log.close()
            raise
        return log

    async def prepare(self) -> None:
        """Make stream and consumer, or change them to what the settings say."""
        settings, names = self._deployment.settings, self.subjects
        stream = StreamConfig(
            name=names.stream,
            subjects=[f"{names.root}.>"],
            storage=StorageType.FILE,
            max_age=float(settings["max_age_s"]),
            allow_direct=True,
            allow_msg_schedules=True,
            # Clients hear an end when it is stored, and not when somebody tries to say it.
            republish=RePublish(src=f"{names.root}.*.*.*.over.*", dest=f"{names.told}.{{{{wildcard(1)}}}}"),
        )
        consumer = ConsumerConfig(
            name=_DURABLE,
            durable_name=_DURABLE,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=float(settings["ack_wait_s"]),
            max_deliver=-1,
            max_ack_pending=int(settings["max_ack_pending"]) or -1,
            filter_subjects=[f"{names.root}.*.{Act.START}", f"{names.root}.*.*.*.*"],
        )
        context = self._context()
        try:
            await context.add_stream(stream)
        except APIError as error:
            if error.err_code != _DIFFERS:
                raise
            await context.update_stream(stream)
        await context.add_consumer(names.stream, consumer)
        await self._look()

    async def _look(self) -> None:
        """Note how far the log is now."""
        last = (await self._context().stream_info(self.subjects.stream)).state.last_seq
        answers = str(self.client._server_info.get("server_id", ""))
        if self._server_id not in ("", answers):
            self._restarted = last
        self._server_id, self.before, self.doubt = answers, last, self._restarted

    def _context(self) -> JetStreamContext:
        return self.client.jetstream(timeout=_ANSWER_S)

    async def _disconnected(self) -> None:
        self.before = self.doubt = math.inf

    async def _reconnected(self) -> None:
        with contextlib.suppress(*SILENCES):
            await self._look()
        self.back.set()

    # -- to write ----------------------------------------------------------------------------------

    async def append(self, event: Event) -> bool:
        """Store an event; ``False`` if its family has one already."""
        headers = {"Nats-Expected-Last-Subject-Sequence": "0"}
        if event.act is not Act.START:
            family = self.subjects.family(event.story.workflow_id, event.element, event.act)
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = family
        return await self._publish(self.subjects.of(event), event.story.written(), headers)

    async def schedule(self, event: Event, at: float) -> bool:
        """Let the server store an event at a time (Unix seconds); ``False`` if it waits already."""
        moment = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
        headers = {
            "Nats-Expected-Last-Subject-Sequence": "0",
            "Nats-Schedule": f"@at {moment}",
            "Nats-Schedule-Target": self.subjects.of(event),
        }
        subject = self.subjects.timer(event.story.workflow_id, event.element)
        return await self._publish(subject, event.story.written(), headers)

    async def _publish(self, subject: str, data: bytes, headers: dict[str, str]) -> bool:
        try:
            await self._context().publish(subject, data, headers=headers)
        except APIError as error:
            if error.err_code == _REFUSED:
                return False
            raise
        return True

    # -- to read -----------------------------------------------------------------------------------

    async def last(self, subject: str) -> Entry | None:
        """The last event of a subject, which may have wildcards."""
        message = await self.client.request(
            f"$JS.API.DIRECT.GET.{self.subjects.stream}",
            json.dumps({"last_by_subj": subject}).encode(),
            timeout=_ANSWER_S,
        )
        headers = message.headers or {}
        if "Nats-Subject" not in headers:
            return None
        at = datetime.fromisoformat(_microseconds(headers["Nats-Time-Stamp"])).timestamp()
        event = self.subjects.event(headers["Nats-Subject"], message.data)
        return Entry(event, at, len(message.data))

    async def read(self, subject: str) -> AsyncIterator[Entry]:
        """Every event of a subject, in order; there must be one."""
        subscription = await self._context().subscribe(
            subject, stream=self.subjects.stream, ordered_consumer=True
        )
        try:
            while True:
                message = await subscription.next_msg(_ANSWER_S)
                about = message.metadata
                with contextlib.suppress(ValueError, TypeError):  # what waits until it is due is no event yet
                    event = self.subjects.event(message.subject, message.data)
                    yield Entry(event, about.timestamp.timestamp(), len(message.data))
                if about.num_pending == 0:
                    return
        finally:
            await subscription.unsubscribe()

    async def ends(self) -> dict[str, str]:
        """``{token of a workflow: status}`` of every saga that is over."""
        found: dict[str, str] = {}
        info = await self._context().stream_info(
            self.subjects.stream, subjects_filter=f"{self.subjects.root}.*.*.*.over.*"
        )
        for subject in info.state.subjects or {}:
            tokens = subject.split(".")
            found[tokens[1]] = tokens[-1]
        return found

    async def slot(self) -> JetStreamContext.PullSubscription:
        """Something that asks for one event at a time; all share the durable consumer."""
        return await self._context().pull_subscribe_bind(consumer=_DURABLE, stream=self.subjects.stream)

    def away(self, error: BaseException) -> ServerAwayError:
        """Say that nobody answers."""
        return server_away(self._deployment, "broker", error)

    async def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(*SILENCES):
            await self.client.close()


def _microseconds(moment: str) -> str:
    """RFC 3339 as Python reads it: the server says nanoseconds."""
    seconds, _, rest = moment.removesuffix("Z").partition(".")
    return f"{seconds}.{rest[:6]:0<6}+00:00"


async def _quiet(error: Exception) -> None:
    """The library would print a traceback whenever the connection breaks; the calls say it."""
    _logger.info("NATS: %s", error)
