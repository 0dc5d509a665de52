"""Fetching an image: docker-py's event stream in a thread, added up to one progress, to be stopped at any time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from desktop.engine.connection import Connection, new_client, reason
from desktop.engine.ports import PullProgress
from desktop.errors import EngineError, ImageUnavailableError

if TYPE_CHECKING:
    from docker import APIClient
    from requests import Response

__all__ = ["LayerTotals", "Pull"]

EVERY: Final = 0.1

log = logging.getLogger(__name__)


class LayerTotals:
    """Adds up what the engine says about each layer.

    Args:
        image: The image as asked for.
    """

    def __init__(self, image: str) -> None:
        self._image = image
        self._layers: dict[str, tuple[int, int]] = {}

    def add(self, event: dict[str, Any]) -> PullProgress:
        """Take one event of the pull stream and return how far the whole is."""
        status, layer = str(event.get("status") or ""), str(event.get("id") or "")
        detail = event.get("progressDetail")
        current, total = (detail.get("current"), detail.get("total")) if isinstance(detail, dict) else (None, None)
        if status == "Downloading" and isinstance(current, int):
            size = total if isinstance(total, int) and total > 0 else self._layers.get(layer, (0, 0))[1]
            self._layers[layer] = (current, max(size, current))
        elif status in ("Download complete", "Pull complete") and layer in self._layers:
            size = self._layers[layer][1]
            self._layers[layer] = (size, size)
        return PullProgress(
            image=self._image,
            status=status,
            done=sum(done for done, _ in self._layers.values()),
            total=sum(size for _, size in self._layers.values()),
        )


class Pull:
    """One pull. `run` blocks and belongs into a thread; `cancel` may be called from any other.

    Args:
        connection: The engine. A client of the pull's own is made, so that a `docker login` of a minute ago counts.
        image: Image reference; without tag and digest ``latest`` is meant.
        report: Called in the pull's thread, at most ten times a second and for every change of status.
    """

    def __init__(self, connection: Connection, image: str, report: Callable[[PullProgress], None]) -> None:
        self._connection = connection
        self._image = image
        self._report = report
        self._lock = threading.Lock()
        self._response: Response | None = None
        self._cancelled = False

    def run(self) -> None:
        """Fetch the image.

        Raises:
            ImageUnavailableError: It isn't to be had; the sentence says why.
            Exception: What docker-py raises when the engine itself is gone.
        """
        from docker.errors import APIError, DockerException

        client = new_client(self._connection.candidate, self._connection.info.api_version)
        # `pull` hides its response, and without it a pull that waits for a byte could not be interrupted.
        client.hooks["response"].append(self._opened)
        try:
            try:
                self._stream(client, None)
            except APIError as error:
                raise self._unavailable(reason(error)) from error
            except DockerException as error:
                # The credential helper the Docker CLI's configuration names doesn't work. Most images are public.
                log.warning("Registry credentials can't be read (%s); trying without", type(error).__name__)
                try:
                    self._stream(client, {})
                except APIError as refused:
                    raise self._unavailable(reason(refused)) from refused
        finally:
            client.close()

    def cancel(self) -> None:
        """Hang up; the engine then gives up the pull, and `run` ends soon."""
        from docker.types import CancellableStream

        with self._lock:
            self._cancelled = True
            response, self._response = self._response, None
        if response is not None:
            try:
                CancellableStream(iter(()), response).close()
            except (OSError, AttributeError):
                log.debug("A pull had ended by itself")

    def _opened(self, response: Response, *_: Any, **__: Any) -> None:
        with self._lock:
            self._response = response
            cancelled = self._cancelled
        if cancelled:
            self.cancel()

    def _stream(self, client: APIClient, credentials: dict[str, str] | None) -> None:
        totals = LayerTotals(self._image)
        status, reported = "", 0.0
        for event in client.pull(self._image, stream=True, decode=True, auth_config=credentials):
            if self._cancelled:
                return
            if error := event.get("error"):
                raise self._unavailable(str(error))
            progress = totals.add(event)
            now = time.monotonic()
            if progress.status != status or now - reported >= EVERY:
                status, reported = progress.status, now
                self._report(progress)
        with self._lock:
            self._response = None

    def _unavailable(self, why: str) -> EngineError:
        text = why.lower()
        if "denied" in text or "unauthorized" in text or "authentication" in text:
            hint = "See that the name is right, and sign in to its registry with: docker login"
        elif "not found" in text or "manifest unknown" in text:
            hint = "See that the name and the version are right."
        else:
            hint = "Check the network connection and try again."
        return ImageUnavailableError(f"The image {self._image} can't be fetched: {why[:300]}", hint)
