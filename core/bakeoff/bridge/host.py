"""Domain services behind a bridge: every command in a thread, its effect and its ledger entry at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from bakeoff.bridge.commands import PARAMETER, Command, objections
from bakeoff.bridge.interface import Bridge, Handler, Request, Serving
from bakeoff.bridge.windows import ANSWERED, DONE, TAKEN
from bakeoff.errors import BusinessError, HandledError
from bakeoff.saga import JSON, Call
from bakeoff.world.effect import carry_out
from bakeoff.world.points import Aim, reach
from bakeoff.world.services import Services

_BAD_REQUEST, _CONFLICT = 400, 409


class ServiceHost:
    """One process that serves commands.

    Args:
        bridge: Where they come from.
        services: Database and rules.
        slots: Commands that are handled at once.
    """

    def __init__(self, bridge: Bridge, services: Services, slots: int) -> None:
        self._bridge = bridge
        self._services = services
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="service")
        self._serving: list[Serving] = []

    async def serve(self, commands: Iterable[Command]) -> None:
        """Answer these commands from now on."""
        for one in commands:
            serving = await self._bridge.serve(
                one.address, self._handler(one), event=one.event, answered=self._answered(one)
            )
            self._serving.append(serving)

    async def stop(self) -> None:
        """Take nothing new and answer what was taken."""
        await asyncio.gather(*(one.stop() for one in self._serving))
        await asyncio.to_thread(self._threads.shutdown)

    def _handler(self, one: Command) -> Handler:
        async def handle(request: Request) -> JSON:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._act, one, request)

        return handle

    def _answered(self, one: Command) -> Handler | None:
        """The place between an answer and its event, where a process of a world with faults can be caught."""
        if not self._services.faults:
            return None

        async def stand(request: Request) -> JSON:
            call = one.call_of(request.payload, request.parameter)
            await asyncio.get_running_loop().run_in_executor(self._threads, self._reach, call, ANSWERED)

        return stand

    def _reach(self, call: Call, window: str) -> None:
        if self._services.faults:
            reach(self._services.engine, call.workflow_id, Aim(call.step, call.direction, window))

    def _act(self, one: Command, request: Request) -> JSON:
        wrong = one.objection(request.payload) + objections(PARAMETER, dict(request.parameter))
        if wrong:
            raise HandledError(f"{one.address}: {wrong[0]['message']}", _BAD_REQUEST, wrong)
        call = one.call_of(request.payload, request.parameter)
        ordinal = int(request.parameter.get("ordinal", 1))
        word = str(request.parameter.get("behaviour", "ok"))
        self._reach(call, TAKEN)
        try:
            result = carry_out(self._services, one.function, call, ordinal, word, armed=False)
        except BusinessError as error:
            # A decline of a service has a status, as in HTTP; which one it was, retries must know.
            raise HandledError(str(error), _CONFLICT, {"type": type(error).__name__}) from error
        self._reach(call, DONE)
        return result
