"""The host as a whole: the app on its engine, its triggers, and the order in which they start and stop."""

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future as ThreadFuture
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.host.engines.port import Engine
from local.host.engines.thread import EngineThread
from local.host.function import HTTP, SERVICE_BUS, TIMER, Function
from local.host.invocation import Call, Completion
from local.host.routes import route_of
from local.host.servicebus.listener import Listener
from local.host.servicebus.namespace import open_bus
from local.host.servicebus.port import Bus
from local.host.settings import (
    HostSettings,
    InvalidSettings,
    connection_of,
    is_disabled,
    read_host_settings,
    resolve,
)
from local.host.timers import Timer, schedule_of
from local.host.web import Web
from local.loopback.server import LoopbackServer

_LOG = logging.getLogger("local.host")

# A stop is over within two seconds; this much of it is for calls that run.
_FINISH_S = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the host was told: host.json and the app settings (the environment included)."""

    settings: HostSettings
    app_settings: Mapping[str, str]


class Host:
    """Runs one app until stopped. Raises BrokenApp, UnsupportedFunction and InvalidSettings when it cannot.

    The engine, the HTTP server and the triggers each have a thread; `url` is where HTTP answers.
    Everything is up when the constructor returns.
    """

    def __init__(
        self,
        app: Path,
        engine: Engine,
        app_settings: Mapping[str, str],
        port: int = 0,
        receiver: str = "auto",
    ) -> None:
        self._told = Told(read_host_settings(app, app_settings), app_settings)
        self._receiver = receiver
        self._engine = EngineThread(engine, self._told.settings.function_timeout)
        self._timers: dict[str, Timer] = {}
        self._listeners: list[Listener] = []
        self._buses: dict[str, Bus] = {}
        self._tasks: list[asyncio.Task[None]] = []
        try:
            self.functions = self._engine.load(app)
            self._disabled = frozenset(
                each.name for each in self.functions if is_disabled(each.name, app_settings)
            )
            enabled = [each for each in self.functions if each.name not in self._disabled]
            self._triggers = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._turn, name="triggers", daemon=True)
            self._thread.start()
            self._server = self._start(enabled, port)
        except BaseException:
            self._engine.stop()
            raise
        self.url = self._server.url

    def _turn(self) -> None:
        asyncio.set_event_loop(self._triggers)
        self._triggers.run_forever()

    def _start(self, enabled: Sequence[Function], port: int) -> LoopbackServer:
        problems: list[str] = []
        for function in enabled:
            try:
                self._prepare(function)
            except InvalidSettings as invalid:
                problems.append(f"{function.name}: {invalid}")
        if problems:
            self._end_triggers()
            raise InvalidSettings("; ".join(problems))
        prefix = self._told.settings.route_prefix
        routes = [route_of(each, prefix) for each in enabled if each.kind == HTTP]
        web = Web(self.functions, self._disabled, routes, self._invoke, self._tick)
        try:
            server = LoopbackServer(web.application(), port)
        except BaseException:
            self._end_triggers()
            raise
        self._on_triggers(self._begin()).result()
        return server

    def _prepare(self, function: Function) -> None:
        told, trigger = self._told, function.trigger
        if function.kind == TIMER:
            schedule = schedule_of(resolve(str(trigger["schedule"]), told.app_settings))
            self._timers[function.name] = Timer(function, schedule, self._invoke)
        elif function.kind == SERVICE_BUS:
            if "queueName" not in trigger:
                raise InvalidSettings("only queues are served locally, no topics")
            path = resolve(str(trigger["queueName"]), told.app_settings)
            connection = connection_of(str(trigger["connection"]), told.app_settings)
            if connection not in self._buses:
                slots = told.settings.service_bus.max_concurrent_sessions
                self._buses[connection] = open_bus(connection, self._receiver, slots)
            bus = self._buses[connection]
            self._listeners.append(Listener(function, path, bus, self._invoke, told.settings.service_bus))

    async def _begin(self) -> None:
        runs = [*(each.run() for each in self._listeners), *(each.run() for each in self._timers.values())]
        self._tasks = [asyncio.ensure_future(run) for run in runs]
        for task in self._tasks:
            task.add_done_callback(_report)

    async def _invoke(self, call: Call) -> Completion:
        completion = await self._engine.run(call)
        if completion.error:
            told = (call.function.name, call.id, completion.error, completion.trace)
            _LOG.error("%s failed (%s): %s\n%s", *told)
        return completion

    def _tick(self, name: str) -> None:
        timer = self._timers.get(name)
        if timer is not None:
            self._triggers.call_soon_threadsafe(timer.tick)

    def _on_triggers(self, work: Any) -> ThreadFuture[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._triggers)

    def stop(self) -> None:
        """Take nothing new, let what runs finish for a second, give up the rest; all within two seconds."""
        self._server.shut()
        self._on_triggers(self._finish()).result()
        self._server.stop()
        self._engine.stop()
        self._end_triggers()

    async def _finish(self) -> None:
        for listener in self._listeners:
            listener.stop()
        listening = self._tasks[: len(self._listeners)]
        for task in self._tasks[len(self._listeners) :]:
            task.cancel()
        if listening:
            await asyncio.wait(listening, timeout=_FINISH_S)
        for task in listening:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.2)
        for bus in self._buses.values():
            await bus.close()

    def _end_triggers(self) -> None:
        self._triggers.call_soon_threadsafe(self._triggers.stop)
        self._thread.join()
        self._triggers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _report(task: "asyncio.Task[None]") -> None:
    """A trigger that ends by itself is a fault of this host; say so where somebody reads."""
    if not task.cancelled() and task.exception() is not None:
        _LOG.error("a trigger ended", exc_info=task.exception())
