"""`ContainerEngine` over docker-py: Docker, Podman and whatever else speaks the Engine API."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from desktop.engine import discovery, wire
from desktop.engine.attach import AttachStream
from desktop.engine.calls import CALL_LIMIT, EngineCalls, finished
from desktop.engine.container import DockerContainer, container_configuration, container_name
from desktop.engine.discovery import EngineCandidate
from desktop.engine.frames import STDERR, STDOUT, Capture, LineOutput, StreamSink
from desktop.engine.hiding import Hiding
from desktop.engine.labels import INSTANCE, OWNER, OWNER_VALUE, SERVER
from desktop.engine.networks import EngineNetworks
from desktop.engine.ports import (
    ContainerOutput,
    ContainerSpec,
    ContainerStats,
    EngineInfo,
    OwnedContainer,
    PullProgress,
    RunningContainer,
)
from desktop.engine.pull import Pull
from desktop.engine.stats import stats_of
from desktop.errors import EngineError, EngineUnavailableError, ImageUnavailableError

if TYPE_CHECKING:
    from docker import APIClient

__all__ = ["DockerEngine"]

STARTS_AT_ONCE: Final = 4
PULL_THREADS: Final = 4
START_LIMIT: Final = 60.0
PULL_STALL_LIMIT: Final = 300.0
UNDO_LIMIT: Final = 5.0
CLOSE_LIMIT: Final = 10.0
OUTPUT_LIMIT: Final = 10 * 1024**2

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Attempt:
    """What a start has brought into the world so far, so that it can be taken back."""

    name: str
    created: bool = False
    job: concurrent.futures.Future[Any] | None = None
    stream: AttachStream | None = None
    watch: asyncio.Task[int] | None = None

    def in_thread(self, job: concurrent.futures.Future[Any]) -> None:
        """Note the thread that works for this start now."""
        self.job = job


class DockerEngine:
    """The engine. Made on the event loop it's used on; finds its engine at the first call, and again after it was lost.

    Args:
        instance: Id of this run of the program; every container gets it as a label.
        candidates: Where to look; None looks anew, at every `ping`, at what the environment and the Docker CLI say.

    Attributes:
        networks: The engine's networks that are ours.
    """

    def __init__(self, instance: str, candidates: Sequence[EngineCandidate] | None = None) -> None:
        self._instance = instance
        self._calls = EngineCalls(candidates)
        self._hiding = Hiding(self._calls)
        self.networks = EngineNetworks(self._calls, instance)
        self._starts = asyncio.Semaphore(STARTS_AT_ONCE)
        self._pulling = concurrent.futures.ThreadPoolExecutor(PULL_THREADS, "engine-pull")
        self._pulls: set[Pull] = set()
        self._containers: set[DockerContainer] = set()
        self._background: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def ping(self) -> EngineInfo:
        """Find the engine (again) and ask for its version.

        Raises:
            EngineUnavailableError: None answers.
            EnginePermissionError: One is there, but not for this user.
        """
        return (await self._calls.find()).info

    async def image_id(self, image: str) -> str | None:
        """The local image's content id (``sha256:…``), or None when the image isn't here."""

        def inspect(client: APIClient) -> str | None:
            from docker.errors import NotFound

            try:
                return str(client.inspect_image(image)["Id"])  # type: ignore[no-untyped-call]
            except NotFound:
                return None

        return await self._calls.call(f"look for the image {image}", inspect)

    async def image_labels(self, image: str) -> dict[str, str] | None:
        """The local image's labels, or None when the image isn't here."""

        def inspect(client: APIClient) -> dict[str, str] | None:
            from docker.errors import NotFound

            try:
                found = client.inspect_image(image)  # type: ignore[no-untyped-call]
            except NotFound:
                return None
            return dict((found.get("Config") or {}).get("Labels") or {})

        return await self._calls.call(f"read the labels of {image}", inspect)

    async def pull(self, image: str, progress: Callable[[PullProgress], None] | None = None) -> None:
        """Fetch an image; cancelling the call cancels the pull.

        Args:
            image: Image reference.
            progress: Called on the event loop.

        Raises:
            ImageUnavailableError: It isn't to be had, or nothing came for five minutes.
        """
        self._check_open()
        connection = await self._calls.connected()
        loop = asyncio.get_running_loop()
        deadline = asyncio.timeout(PULL_STALL_LIMIT)
        running = True

        def step(report: PullProgress) -> None:
            if running and not deadline.expired():
                deadline.reschedule(loop.time() + PULL_STALL_LIMIT)
                if progress is not None:
                    progress(report)

        pull = Pull(connection, image, lambda report: _on_loop(loop, step, report))
        self._pulls.add(pull)
        try:
            async with deadline:
                await asyncio.wrap_future(self._pulling.submit(pull.run))
        except TimeoutError:
            raise ImageUnavailableError(
                f"The image {image} can't be fetched: nothing came for {PULL_STALL_LIMIT:.0f} s",
                "Check the network connection and try again.",
            ) from None
        except EngineError:
            raise
        except Exception as error:
            raise self._calls.failed(error, f"fetch the image {image}", connection) from error
        finally:
            running = False
            pull.cancel()
            self._pulls.discard(pull)

    async def run(self, spec: ContainerSpec, output: ContainerOutput) -> RunningContainer:
        """Create, attach, then start a container; at most four starts are under way at once.

        A start that fails or is cancelled takes back what it has made (``output`` may still be told `closed`).

        Raises:
            ImageUnavailableError: The image is not on this machine.
            EngineError: The engine refused.
        """
        return await self._start(spec, LineOutput(output), stdin=True)

    async def run_once(
        self, spec: ContainerSpec, *, time_limit: float, stdin: bytes | None = None
    ) -> tuple[int, bytes, bytes]:
        """Run a container to its end.

        Args:
            spec: What to run.
            time_limit: Seconds from its start to its end.
            stdin: What it reads from its standard input, which then ends (not over TLS and Windows pipes); None: it has none.

        Returns:
            Exit code, stdout and stderr (10 MiB of each at most).

        Raises:
            ImageUnavailableError: The image is not on this machine.
            EngineUnavailableError: The engine has gone.
            EngineError: The engine refused, or the time is up; the container is then removed.
        """
        capture = Capture(OUTPUT_LIMIT)
        container = await self._start(spec, capture, stdin=stdin is not None)
        try:
            if stdin is not None:
                container.feed(stdin)
            done, _ = await asyncio.wait({container.exited}, timeout=time_limit)
        except BaseException:
            await asyncio.wait({self._spawn(container.stop(0))}, timeout=UNDO_LIMIT)
            raise
        if not done:
            await container.stop(0)
            raise EngineError(
                f"A container of {spec.image} did not end within {time_limit:g} s", "It was stopped; try again."
            )
        code = container.exited.result()
        if code == wire.EXIT_UNKNOWN:
            raise EngineUnavailableError(
                f"The container engine went away while a container of {spec.image} ran", "Start it and try again."
            )
        await container.wait_output(CALL_LIMIT)
        return code, capture.content(STDOUT), capture.content(STDERR)

    def reveals(self, image: str) -> bool:
        """Whether hidden variables of this image's containers can be seen through the engine (``docker inspect``)."""
        return self._hiding.reveals(image)

    async def own_networks(self) -> tuple[str, ...]:
        """Networks of the container this program runs in, or empty on a host."""
        own = discovery.own_container()
        if not own:
            return ()

        def inspect(client: APIClient) -> tuple[str, ...]:
            from docker.errors import NotFound

            try:
                networks = client.inspect_container(own)["NetworkSettings"]["Networks"]
            except NotFound:
                return ()
            return tuple(name for name in networks if name != "none")

        return await self._calls.call("look at its networks", inspect)

    async def owned_containers(self) -> tuple[OwnedContainer, ...]:
        """Every container with our owner label, of this and other instances, ended ones included."""
        filters = {"label": f"{OWNER}={OWNER_VALUE}"}
        found: list[dict[str, Any]] = await self._calls.call(
            "list containers", lambda client: client.containers(all=True, filters=filters)
        )
        return tuple(
            OwnedContainer(
                id=entry["Id"],
                instance=(entry.get("Labels") or {}).get(INSTANCE, ""),
                server=(entry.get("Labels") or {}).get(SERVER, ""),
                running=entry.get("State") == "running",
            )
            for entry in found
        )

    async def stats(self, container_id: str) -> ContainerStats | None:
        """What a container uses, in one reading; None when it has ended or gone."""

        def read(client: APIClient) -> ContainerStats | None:
            from docker.errors import APIError

            try:
                return stats_of(client.stats(container_id, stream=False, one_shot=True))
            except APIError as error:
                if error.status_code not in (404, 409):
                    raise
                return None

        return await self._calls.call("look at what a container uses", read)

    async def remove(self, container_id: str) -> None:
        """Kill and remove a container and its anonymous volumes; one that is already gone, or going, is fine."""

        def remove(client: APIClient) -> None:
            from docker.errors import APIError

            try:
                client.remove_container(container_id, v=True, force=True)
            except APIError as error:
                if error.status_code not in (404, 409):
                    raise

        await self._calls.call("remove a container", remove)

    async def close(self) -> None:
        """Stop what still runs, give back sockets and threads; takes 20 s at the most, whatever the engine does."""
        if self._closed:
            return
        self._closed = True
        for pull in tuple(self._pulls):
            pull.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT):
                # No start is under way once all places are ours.
                for _ in range(STARTS_AT_ONCE):
                    await self._starts.acquire()
        for _ in range(STARTS_AT_ONCE):
            # Those who wait for a place find the engine closed.
            self._starts.release()
        for container in tuple(self._containers):
            self._spawn(container.stop(0))
        if self._background:
            await asyncio.wait(self._background, timeout=CLOSE_LIMIT)
        for task in tuple(self._background):
            task.cancel()
        self._pulling.shutdown(wait=False, cancel_futures=True)
        self._calls.close()

    async def _start(self, spec: ContainerSpec, sink: StreamSink, *, stdin: bool) -> DockerContainer:
        await self._starts.acquire()
        try:
            self._check_open()
        except EngineError:
            self._starts.release()
            raise
        attempt = _Attempt(name=container_name(spec))
        try:
            container = await self._begin(attempt, spec, sink, stdin=stdin)
        except BaseException:
            # A task of its own: it goes on if we are cancelled (again), and holds the start's place until all is gone.
            undo = self._spawn(self._undo(attempt))
            await asyncio.wait({undo}, timeout=UNDO_LIMIT)
            raise
        self._starts.release()
        return container

    async def _begin(self, attempt: _Attempt, spec: ContainerSpec, sink: StreamSink, *, stdin: bool) -> DockerContainer:
        connection = await self._calls.connected()
        client, where = connection.client, connection.candidate
        body = container_configuration(spec, instance=self._instance, stdin=stdin)
        hidden = await self._hiding.plan(spec, body)
        container_id = await self._create(attempt, spec, body if hidden is None else hidden.body)
        if hidden is not None and not await self._hiding.works(hidden, spec, container_id):
            hidden = None
            await self.remove(container_id)
            container_id = await self._create(attempt, spec, body)
        attempt.stream = await wire.attach(client, where, container_id, sink, stdin=stdin or hidden is not None)
        attempt.watch = await wire.watch_exit(client, where, container_id)
        what = f"start a container of {spec.image}"
        await self._calls.call(
            what, lambda client: client.start(container_id), limit=START_LIMIT, submitted=attempt.in_thread
        )
        if hidden is not None:
            attempt.stream.write(hidden.header)
            if not stdin:
                attempt.stream.close_stdin()
        container = DockerContainer(
            container_id, attempt.stream, attempt.watch, terminate=self._terminate, remove=self.remove
        )
        self._containers.add(container)
        container.exited.add_done_callback(lambda _: self._containers.discard(container))
        return container

    async def _create(self, attempt: _Attempt, spec: ContainerSpec, body: Mapping[str, Any]) -> str:
        def create(client: APIClient) -> str:
            from docker.errors import NotFound

            try:
                answer = client.create_container_from_config(body, attempt.name)  # type: ignore[no-untyped-call]
                return str(answer["Id"])
            except NotFound as error:
                raise ImageUnavailableError(
                    f"The image {spec.image} is not on this machine", f"Fetch it with: docker pull {spec.image}"
                ) from error

        what = f"create a container of {spec.image}"
        container_id: str = await self._calls.call(what, create, submitted=attempt.in_thread)
        attempt.created = True
        return container_id

    async def _undo(self, attempt: _Attempt) -> None:
        """Take back a start: wait for the thread that may still be creating or starting, then remove by name."""
        try:
            if attempt.stream is not None:
                attempt.stream.close()
            if attempt.job is None or (attempt.job.cancel() and not attempt.created):
                return
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await finished(attempt.job, START_LIMIT)
            await self.remove(attempt.name)
            if attempt.watch is not None:
                await asyncio.wait({attempt.watch}, timeout=UNDO_LIMIT)
        except EngineUnavailableError:
            log.debug("The engine went away while a start was taken back")
        except EngineError as error:
            log.warning("A container that was not wanted any more could not be removed: %s", error)
        finally:
            if attempt.watch is not None:
                attempt.watch.cancel()
            self._starts.release()

    async def _terminate(self, container_id: str) -> None:
        await self._calls.call("stop a container", lambda client: client.kill(container_id, signal="SIGTERM"))

    def _check_open(self) -> None:
        if self._closed:
            raise EngineUnavailableError("The connection to the container engine is closed")

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("Cleaning up after a container failed: %s", error)


def _on_loop(loop: asyncio.AbstractEventLoop, callback: Callable[[T], None], value: T) -> None:
    # A closed loop means the program is ending: nobody looks at progress any more.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, value)
