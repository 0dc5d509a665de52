"""Images of Docker's namespace are used only with signatures that fit; a registry on loopback stands in for the real one."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from desktop.errors import ImageUnavailableError
from desktop.servers.image_signatures import DOCKER_KEY, ImageSignatures, is_candidate

DIGEST = "sha256:" + "ab" * 32
IMAGE = f"mcp/time@{DIGEST}"


class Registry(ThreadingHTTPServer):
    """A registry's reading half, with anonymous tokens.

    Attributes:
        documents: Path below the repository -> body.
        asked: Every path that was asked for.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Requests)
        self.documents: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.lets_in = True
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def sign(self, *payloads: tuple[bytes, ec.EllipticCurvePrivateKey], **more: Any) -> None:
        """Keep signatures of these payloads for the image."""
        layers = []
        for payload, key in payloads:
            digest = f"sha256:{hashlib.sha256(payload).hexdigest()}"
            signature = base64.b64encode(key.sign(payload, ec.ECDSA(hashes.SHA256()))).decode()
            layers.append(
                {
                    "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                    "digest": digest,
                    "annotations": {"dev.cosignproject.cosign/signature": signature},
                    **more,
                }
            )
            self.documents[f"blobs/{digest}"] = payload
        self.documents[f"manifests/{DIGEST.replace(':', '-')}.sig"] = json.dumps({"layers": layers}).encode()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Requests(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path.startswith("/token"):
            assert "scope=repository%3Amcp%2Fsignatures%3Apull" in self.path
            self.reply(200, b'{"token": "anonymous"}')
        elif self.headers["Authorization"] != "Bearer anonymous" or not self.server.lets_in:
            self.send_response(401)
            scope = 'service="test",scope="repository:mcp/signatures:pull"'
            self.send_header("WWW-Authenticate", f'Bearer realm="{self.server.url}/token",{scope}')
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            body = self.server.documents.get(self.path.removeprefix("/v2/mcp/signatures/"))
            self.reply(404 if body is None else 200, body or b"")

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with closing(Registry()) as server:
        yield server


@pytest.fixture
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def signatures(registry: Registry, key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> ImageSignatures:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b64encode(public).decode()
    return ImageSignatures(tmp_path / "verified.json", key=text, registry=registry.url)


def payload(digest: str = DIGEST) -> bytes:
    return json.dumps({"critical": {"image": {"docker-manifest-digest": digest}}, "optional": None}).encode()


async def test_a_signed_image_passes_and_is_not_asked_for_again(
    signatures: ImageSignatures, registry: Registry, key: ec.EllipticCurvePrivateKey, tmp_path: Path
) -> None:
    registry.sign((payload(), key), (payload() + b" ", key))
    await signatures.check(IMAGE)
    asked = len(registry.asked)
    await signatures.check(f"docker.io/{IMAGE}")
    assert len(registry.asked) == asked
    (tmp_path / "verified.json").write_text("damaged", encoding="utf-8")
    await signatures.check(IMAGE)
    assert len(registry.asked) > asked


async def test_images_of_others_pass_unasked(signatures: ImageSignatures, registry: Registry) -> None:
    for image in ("ghcr.io/mcp/time", "time", f"other/time@{DIGEST}", "mcp/deeper/time"):
        assert not is_candidate(image)
        await signatures.check(image)
    assert registry.asked == []


async def test_an_image_without_a_digest_cannot_be_verified(signatures: ImageSignatures) -> None:
    with pytest.raises(ImageUnavailableError, match="mcp/time:1 can't be verified: it names no digest"):
        await signatures.check("mcp/time:1")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("unsigned", "there is no signature for it"),
        ("empty", "there is no signature for it"),
        ("one by another key", "is not by the expected key"),
        ("another image", "is of another image"),
        ("nonsense signed", "signs nothing that can be understood"),
        ("exchanged payload", "is not what its digest says"),
        ("not a manifest", "is no list of signatures"),
        ("other media type", "is no list of signatures"),
        ("closed", "does not let anonymous readers in"),
    ],
)
async def test_an_image_whose_signatures_do_not_all_fit_is_not_used(
    signatures: ImageSignatures, registry: Registry, key: ec.EllipticCurvePrivateKey, fault: str, reason: str
) -> None:
    manifest = f"manifests/{DIGEST.replace(':', '-')}.sig"
    other = ec.generate_private_key(ec.SECP256R1())
    match fault:
        case "empty":
            registry.sign()
        case "one by another key":
            registry.sign((payload(), key), (payload() + b"\n", other))
        case "another image":
            registry.sign((payload("sha256:" + "cd" * 32), key))
        case "nonsense signed":
            registry.sign((b"[1]", key))
        case "exchanged payload":
            registry.sign((payload(), key))
            registry.documents = {
                path: payload() + b"x" if path.startswith("blobs/") else body
                for path, body in registry.documents.items()
            }
        case "not a manifest":
            registry.documents[manifest] = b"<html>"
        case "other media type":
            registry.sign((payload(), key), mediaType="application/octet-stream")
        case "closed":
            registry.sign((payload(), key))
            registry.lets_in = False
    for _ in range(2):  # a refusal is not remembered as a pass
        with pytest.raises(ImageUnavailableError, match=reason):
            await signatures.check(IMAGE)


async def test_without_a_registry_nothing_passes_but_what_has_passed(
    signatures: ImageSignatures, registry: Registry, key: ec.EllipticCurvePrivateKey
) -> None:
    registry.sign((payload(), key))
    await signatures.check(IMAGE)
    registry.close()
    await signatures.check(IMAGE)
    with pytest.raises(ImageUnavailableError, match="the registry can't be asked"):
        await signatures.check(f"mcp/other@sha256:{'ef' * 32}")


def test_dockers_key_is_a_p256_key() -> None:
    loaded = load_der_public_key(base64.b64decode(DOCKER_KEY))
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    assert isinstance(loaded.curve, ec.SECP256R1)
