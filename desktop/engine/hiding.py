"""Decides for each container whether its hidden variables can be kept from the engine, and remembers for which images not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from desktop.engine.calls import EngineCalls
from desktop.engine.hidden_environment import ImageCommand, has_shell, header, image_command, wrapped
from desktop.engine.ports import ContainerSpec

if TYPE_CHECKING:
    from docker import APIClient

__all__ = ["Hiding", "HidingPlan"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HidingPlan:
    """A container whose variables come over its input.

    Attributes:
        body: The create request.
        header: What is written to its standard input first.
        image: What it runs.
    """

    body: Mapping[str, Any]
    header: bytes = field(repr=False)
    image: ImageCommand


class Hiding:
    """What is known of images.

    Args:
        calls: Asks the engine.
    """

    def __init__(self, calls: EngineCalls) -> None:
        self._calls = calls
        self._shells: dict[str, bool] = {}
        self._revealed: set[str] = set()

    def reveals(self, image: str) -> bool:
        """Whether the last container of this image that had something to hide had it in the open."""
        return image in self._revealed

    async def plan(self, spec: ContainerSpec, body: Mapping[str, Any]) -> HidingPlan | None:
        """How to hide what the container has to hide; None when it has nothing, or it can't be done."""
        if not spec.hidden_env and not spec.hides_command:
            return None
        image = await self._calls.call(f"look for the image {spec.image}", lambda client: _inspect(client, spec.image))
        if image is None:  # creating the container will say so
            return None
        hidden = wrapped(body, spec, image)
        if hidden is None or self._shells.get(image.image_id) is False:
            self._note(spec.image, revealed=True)
            return None
        return HidingPlan(body=hidden, header=header(spec, image), image=image)

    async def works(self, plan: HidingPlan, spec: ContainerSpec, container_id: str) -> bool:
        """Whether the created container has the shell it needs; asked of each image once."""
        image_id = plan.image.image_id
        if image_id not in self._shells:
            found = await self._calls.call("look into a container", lambda client: has_shell(client, container_id))
            if found is not None:
                self._shells[image_id] = found
        works = self._shells.get(image_id, False)
        self._note(spec.image, revealed=not works)
        return works

    def _note(self, image: str, *, revealed: bool) -> None:
        if revealed and image not in self._revealed:
            log.info("the image %s has no shell that could take its secrets in, so docker inspect shows them", image)
        (self._revealed.add if revealed else self._revealed.discard)(image)


def _inspect(client: APIClient, image: str) -> ImageCommand | None:
    from docker.errors import NotFound

    try:
        return image_command(client.inspect_image(image))  # type: ignore[no-untyped-call]
    except NotFound:
        return None
