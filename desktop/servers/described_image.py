"""Asks an image what server is in it (``--oci-ref``, ``docker://`` references)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from desktop.catalog.image_description import described_entry
from desktop.engine.ports import ContainerEngine, PullProgress

__all__ = ["Describer", "entry_of_image", "image_describer"]

Describer = Callable[[str], Awaitable[dict[str, Any]]]


async def entry_of_image(
    engine: ContainerEngine, image: str, progress: Callable[[PullProgress], None] | None = None
) -> dict[str, Any]:
    """The catalog entry an image describes itself by; one that isn't here is pulled.

    Raises:
        EngineError: There is no engine, or the image can't be had.
        CatalogError: The image does not describe a server.
    """
    labels = await engine.image_labels(image)
    if labels is None:
        await engine.pull(image, progress)
        labels = await engine.image_labels(image) or {}
    return described_entry(image, labels)


@contextlib.asynccontextmanager
async def image_describer(progress: Callable[[PullProgress], None] | None = None) -> AsyncIterator[Describer]:
    """Describes images with an engine of its own, which is looked for when the first one is asked for."""
    from desktop.engine.docker_engine import DockerEngine  # here, because its client takes long to import

    engine: DockerEngine | None = None

    async def describe(image: str) -> dict[str, Any]:
        nonlocal engine
        engine = engine or DockerEngine("")
        return await entry_of_image(engine, image, progress)

    try:
        yield describe
    finally:
        if engine is not None:
            await engine.close()
