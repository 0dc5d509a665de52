"""An image made of a test image and a few files, gone again afterwards."""

from __future__ import annotations

import contextlib
import io
import tarfile
import uuid
from collections.abc import Iterator, Mapping

import docker

__all__ = ["small_image"]


@contextlib.contextmanager
def small_image(
    engine: docker.DockerClient, base: str, *, programs: Mapping[str, str] | None = None, labels: Mapping[str, str]
) -> Iterator[str]:
    """Build the image and give its name.

    Args:
        engine: Builds it.
        base: The image it stands on, which is here.
        programs: Scripts by their places in the image.
        labels: Its labels.
    """
    files = {f"file{number}": text for number, text in enumerate((programs or {}).values())}
    copies = [f"COPY {name} {place}\n" for name, place in zip(files, programs or {}, strict=True)]
    tag = f"mcp-gateway-test/made-{uuid.uuid4().hex[:12]}"
    with io.BytesIO() as archive:
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, text in {"Dockerfile": f"FROM {base}\n{''.join(copies)}", **files}.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text.encode()), 0o755
                tar.addfile(entry, io.BytesIO(text.encode()))
        archive.seek(0)
        engine.images.build(fileobj=archive, custom_context=True, tag=tag, labels=dict(labels), rm=True, forcerm=True)
    try:
        yield tag
    finally:
        engine.images.remove(tag, force=True)
