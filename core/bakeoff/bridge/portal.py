"""The way from a step, in a thread of any engine's worker, over a bridge to its service and back."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bakeoff.bridge.commands import Command, command_of, load_validator
from bakeoff.bridge.interface import Bridge
from bakeoff.errors import (
    BridgeAwayError,
    BusinessError,
    CommandTimeoutError,
    HandledError,
    InjectedFault,
    StepFault,
    TombstoneError,
    UnhandledError,
    UnserialisableError,
)
from bakeoff.saga import JSON, Action, Call

if TYPE_CHECKING:
    from bakeoff.telemetry.tracing import Tracing

#: Seconds by which the bridge's patience is shorter than the step's, a quarter of it at the most. The step's
#: own timeout must not strike while the engine still deals with the bridge's: Dramatiq raises its time limit
#: into the thread, and one that lands there costs the message and the thread.
_EARLIER_S = 0.25
#: Seconds that the way to the loop and back may take beyond that.
_GRACE_S = 5.0
#: What a service of ours tells of itself; everything else that it declines is a plain decline.
_DECLINES = {error.__name__: error for error in (BusinessError, TombstoneError, UnserialisableError)}


@dataclass(slots=True)
class Portal:
    """Calls a bridge from threads; see ``bakeoff.world.services.Remote``.

    Attributes:
        connect: Makes the bridge, at the first call: a process that forks has none yet.
        tracing: Of the commands.
    """

    connect: Callable[[], Awaitable[Bridge]]
    tracing: Tracing | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _bridge: Bridge | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        load_validator()

    def __call__(self, function: Action, call: Call, ordinal: int, word: str, timeout_s: float) -> JSON:
        """Have the service act."""
        one = command_of(function)
        parameter: dict[str, JSON] = {
            "key": call.key,
            "workflowId": call.workflow_id,
            "step": call.step,
            "direction": call.direction,
            "attempt": call.attempt,
            "ordinal": ordinal,
        }
        if word != "ok":
            parameter["behaviour"] = word
        payload = one.payload_of(call)
        if wrong := one.objection(payload):
            # As the service would decline it: no retry makes another payload of it.
            raise BusinessError(f"{one.address}: the payload breaks its schema: {wrong[0]['message']}")
        patience_s = timeout_s - min(_EARLIER_S, timeout_s / 4)
        if self.tracing is None:
            return self._ask(one, payload, parameter, patience_s)
        with self.tracing.command(one.address, call) as trace:
            return self._ask(one, payload, parameter, patience_s, trace)

    def _ask(
        self,
        one: Command,
        payload: JSON,
        parameter: Mapping[str, JSON],
        patience_s: float,
        trace: Mapping[str, str] | None = None,
    ) -> JSON:
        bridge, loop = self._opened(patience_s)
        asked = bridge.invoke(one.address, payload, parameter, timeout_s=patience_s, trace=trace)
        future = asyncio.run_coroutine_threadsafe(_as_step(asked), loop)
        try:
            return future.result(patience_s + _GRACE_S)
        except BaseException:
            future.cancel()  # a time limit may have struck here
            raise

    def _opened(self, patience_s: float) -> tuple[Bridge, asyncio.AbstractEventLoop]:
        """The bridge, made again if it was lost for good; ``BridgeAwayError`` if nobody answers."""
        if not self._opening.acquire(timeout=patience_s):
            raise BridgeAwayError("the bridge did not answer in time")
        try:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(loop,), name="bakeoff-bridge", daemon=True).start()
                self._loop = loop
            if self._bridge is None or self._bridge.closed:
                making = asyncio.run_coroutine_threadsafe(_made(self.connect), self._loop)
                try:
                    self._bridge = making.result(patience_s)
                except TimeoutError:
                    making.cancel()
                    raise BridgeAwayError("the bridge did not answer in time") from None
            return self._bridge, self._loop
        finally:
            self._opening.release()

    def close(self) -> None:
        """Let go of the connection and the thread; for a process that goes on without them."""
        with self._opening:
            if self._loop is None:
                return
            if self._bridge is not None:
                closing = asyncio.run_coroutine_threadsafe(self._bridge.close(), self._loop)
                with contextlib.suppress(TimeoutError):
                    closing.result(_GRACE_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = self._bridge = None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Until the portal is closed; a loop that is only stopped keeps its sockets."""
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _made(connect: Callable[[], Awaitable[Bridge]]) -> Bridge:
    return await connect()


async def _as_step(asked: Awaitable[JSON]) -> JSON:
    """Await an answer; what a service says becomes what a step raises."""
    try:
        return await asked
    except HandledError as error:
        data = error.data if isinstance(error.data, dict) else {}
        raise _DECLINES.get(str(data.get("type")), BusinessError)(error.message) from None
    except UnhandledError as error:
        raise _fault(error.cause, error.message) from None
    except CommandTimeoutError as error:
        raise TimeoutError(str(error)) from None


def _fault(name: str, message: str) -> Exception:
    """A fault that bears the name of what the service's own code raised: that is what outcomes tell."""
    if name == InjectedFault.__name__:
        return InjectedFault(message)
    if name == TimeoutError.__name__:
        return TimeoutError(message)
    kind: type[StepFault] = type(name, (StepFault,), {}) if name.isidentifier() else StepFault
    return kind(message)
