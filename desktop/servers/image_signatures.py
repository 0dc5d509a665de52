"""Cosign signatures of Docker's MCP images: checked against Docker's public key before an image is used (spec 3.16)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from desktop.errors import ImageUnavailableError, StateFileError
from desktop.state.atomic_file import read_bytes, write_text

if TYPE_CHECKING:
    import httpx
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

__all__ = ["DOCKER_KEY", "ImageSignatures", "is_candidate"]

DOCKER_KEY: Final = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETcvGv5qypnoxKkFIQOdXZ+2H6JN88kmA"
    "QrMkTb6SmJ7BY59OJIOpTwdjD5joLot6zFs1Q7HHDmkF5HOaC8zSnA=="
)
"""Docker's public key for these images: P-256, SubjectPublicKeyInfo, base64."""
_REGISTRY: Final = "https://registry-1.docker.io"
_REPOSITORY: Final = "mcp/signatures"
_SIGNATURE: Final = "dev.cosignproject.cosign/signature"
_PAYLOAD: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_CANDIDATE: Final = re.compile(r"(?:(?:index\.)?docker\.io/)?mcp/[^/@]+(?P<digest>@sha256:[0-9a-f]{64})?(?=@|$)")
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')
_LARGEST: Final = 4 * 1024**2
_TIME_LIMIT: Final = 30.0
_AT_ONCE: Final = 2
log = logging.getLogger(__name__)


def is_candidate(image: str) -> bool:
    """Whether an image is one of those Docker signs: in its namespace ``mcp/``."""
    return _CANDIDATE.match(image) is not None


class ImageSignatures:
    """Checks images, each digest once: an image that has passed is remembered, since a digest never means another image.

    Args:
        remembered: File of the digests that have passed; it may be thrown away.
        key: The public key, as `DOCKER_KEY`.
        registry: Where the signatures are kept.
    """

    def __init__(self, remembered: Path, *, key: str = DOCKER_KEY, registry: str = _REGISTRY) -> None:
        self._remembered = remembered
        self._key = key
        self._registry = registry.rstrip("/")
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def check(self, image: str) -> None:
        """Return when the image may be used; images outside Docker's namespace are nobody's to sign, and pass.

        Raises:
            ImageUnavailableError: It names no digest, has no signature, one does not fit, or the registry can't be asked.
        """
        match = _CANDIDATE.match(image)
        if match is None:
            return
        digest = (match["digest"] or "").removeprefix("@")
        if not digest:
            raise ImageUnavailableError(
                f"{image} can't be verified: it names no digest",
                "Pin it with @sha256:…, or leave out --verify-signatures",
            )
        if digest in await asyncio.to_thread(self._passed):
            return
        import httpx  # here, because it takes long to import

        async with self._turns:
            try:
                async with asyncio.timeout(_TIME_LIMIT):
                    await self._verify(image, digest)
            except TimeoutError:
                raise _failed(image, f"the registry gave no answer within {_TIME_LIMIT:g} s") from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise _failed(image, f"the registry can't be asked ({type(error).__name__})") from error
        await asyncio.to_thread(self._remember, digest)
        log.info("%s is signed", image)

    async def _verify(self, image: str, digest: str) -> None:
        tag = digest.replace(":", "-") + ".sig"
        async with _client() as client:
            manifest = await self._get(client, image, f"manifests/{tag}", accept=_MANIFEST)
            layers = _layers(image, manifest)
            for layer in layers:
                payload = await self._get(client, image, f"blobs/{layer['digest']}")
                if f"sha256:{hashlib.sha256(payload).hexdigest()}" != layer["digest"]:
                    raise _failed(image, "a signature's content is not what its digest says")
                self._check_one(image, digest, payload, layer["annotations"][_SIGNATURE])

    def _check_one(self, image: str, digest: str, payload: bytes, signature: str) -> None:
        from cryptography.exceptions import InvalidSignature  # here, because it takes long to import
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

        try:
            self._public_key().verify(base64.b64decode(signature, validate=True), payload, ECDSA(hashes.SHA256()))
            signed = json.loads(payload)["critical"]["image"]["docker-manifest-digest"]
        except (InvalidSignature, binascii.Error) as error:
            raise _failed(image, "its signature is not by the expected key") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _failed(image, "its signature signs nothing that can be understood") from error
        if signed != digest:
            raise _failed(image, "its signature is of another image")

    def _public_key(self) -> EllipticCurvePublicKey:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        key = load_der_public_key(base64.b64decode(self._key))
        assert isinstance(key, EllipticCurvePublicKey)
        return key

    async def _get(self, client: httpx.AsyncClient, image: str, path: str, *, accept: str = "*/*") -> bytes:
        """A document of the signatures' repository; signs in anonymously where the registry asks for it."""
        url = f"{self._registry}/v2/{_REPOSITORY}/{path}"
        for attempt in range(2):
            async with client.stream("GET", url, headers={"Accept": accept}) as response:
                if response.status_code == 401:
                    challenge = response.headers.get("www-authenticate", "")
                elif response.status_code == 404:
                    raise _failed(image, "there is no signature for it")
                elif response.status_code != 200:
                    raise _failed(image, f"the registry answered {response.status_code}")
                else:
                    return await _body(response, image)
            if attempt == 0:
                client.headers["Authorization"] = await _anonymous(client, challenge, image)
        raise _failed(image, "the registry does not let anonymous readers in")

    def _passed(self) -> frozenset[str]:
        try:
            found = json.loads(read_bytes(self._remembered) or b"{}").get(self._key, [])
            return frozenset(map(str, found))
        except (StateFileError, ValueError, AttributeError, TypeError, RecursionError):
            return frozenset()  # a cache that can't be read is an empty one

    def _remember(self, digest: str) -> None:
        try:
            write_text(self._remembered, json.dumps({self._key: sorted({*self._passed(), digest})}))
        except StateFileError as error:
            log.info("what was verified is not remembered: %s", error)


@asynccontextmanager
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    import httpx

    async with httpx.AsyncClient(follow_redirects=True, timeout=_TIME_LIMIT) as client:
        yield client


async def _anonymous(client: httpx.AsyncClient, challenge: str, image: str) -> str:
    """The header of an anonymous reader (Docker Registry token authentication)."""
    scheme, _, parameters = challenge.partition(" ")
    values = dict(_CHALLENGE.findall(parameters))
    realm = values.pop("realm", "")
    if scheme.lower() != "bearer" or not realm:
        raise _failed(image, "the registry asks for a sign-in")
    wanted = {name: values[name] for name in ("service", "scope") if name in values}
    async with client.stream("GET", realm, params=wanted) as response:
        if response.status_code != 200:
            raise _failed(image, f"the registry's sign-in answered {response.status_code}")
        try:
            answer = json.loads(await _body(response, image))
            return f"Bearer {answer.get('token') or answer['access_token']}"
        except (ValueError, KeyError, AttributeError, RecursionError) as error:
            raise _failed(image, "the registry's sign-in can't be understood") from error


async def _body(response: httpx.Response, image: str) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST:
            raise _failed(image, "the registry's answer is too large")
    return bytes(body)


def _layers(image: str, manifest: bytes) -> list[dict[str, Any]]:
    """The signatures of a manifest: one at least, and nothing else."""
    try:
        layers = json.loads(manifest)["layers"]
        for layer in layers:
            if layer["mediaType"] != _PAYLOAD or not str(layer["annotations"][_SIGNATURE]):
                raise ValueError
            if not re.fullmatch(r"sha256:[0-9a-f]{64}", layer["digest"]):
                raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _failed(image, "what the registry has is no list of signatures") from error
    if not layers:
        raise _failed(image, "there is no signature for it")
    return list(layers)


def _failed(image: str, reason: str) -> ImageUnavailableError:
    return ImageUnavailableError(
        f"{image.partition('@')[0]} can't be verified: {reason}",
        "Do not use it, or leave out --verify-signatures if you trust it",
    )
