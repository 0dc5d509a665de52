"""Every path of the program, worked out once from the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.state import locations

__all__ = ["Paths"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The three folders everything else lies in.

    Attributes:
        docker_mcp: Files shared with the reference (``~/.docker/mcp``).
        own: Our state.
        cache: What can be thrown away at any time.
        docker_cli: The folder of Docker's command line; None means the one above ``docker_mcp``.
    """

    docker_mcp: Path
    own: Path
    cache: Path
    docker_cli: Path | None = None

    @classmethod
    def of_user(cls, environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Paths:
        """The paths of the person this process runs for."""
        return cls(
            docker_mcp=Path(locations.docker_mcp_dir(environ, platform)),
            own=Path(locations.own_dir(environ, platform)),
            cache=Path(locations.cache_dir(environ, platform)),
            docker_cli=Path(environ["DOCKER_CONFIG"]) if environ.get("DOCKER_CONFIG") else None,
        )

    @property
    def docker_config(self) -> Path:
        """config.json of the Docker command line; the reference keeps its features there."""
        return (self.docker_cli or self.docker_mcp.parent) / "config.json"

    @property
    def registry(self) -> Path:
        """registry.yaml: enabled servers."""
        return self.docker_mcp / "registry.yaml"

    @property
    def config(self) -> Path:
        """config.yaml: values of servers."""
        return self.docker_mcp / "config.yaml"

    @property
    def tools(self) -> Path:
        """tools.yaml: allowed tools of servers."""
        return self.docker_mcp / "tools.yaml"

    @property
    def policy(self) -> Path:
        """policy.txt: which server may have which secret, and which tools may be called."""
        return self.docker_mcp / "policy.txt"

    @property
    def catalog_index(self) -> Path:
        """catalog.json: known catalogs."""
        return self.docker_mcp / "catalog.json"

    @property
    def catalogs(self) -> Path:
        """The folder of catalog bodies."""
        return self.docker_mcp / "catalogs"

    @property
    def profiles(self) -> Path:
        """The folder of profiles, one document each."""
        return self.docker_mcp / "profiles"

    @property
    def toolkit_database(self) -> Path:
        """The reference's database; it is read, never written."""
        return self.docker_mcp / "mcp-toolkit.db"

    @property
    def endpoint_file(self) -> Path:
        """How the running gateway is reached."""
        return self.own / "run" / "endpoint"

    @property
    def socket(self) -> Path:
        """The running gateway's local socket."""
        return self.own / "run" / "gateway.sock"

    @property
    def instances(self) -> Path:
        """One file for each running instance."""
        return self.own / "instances"

    @property
    def locks(self) -> Path:
        """Lock files; kept apart from the files they guard."""
        return self.own / "locks"

    @property
    def listings(self) -> Path:
        """Cached tool listings of servers."""
        return self.cache / "listings"

    @property
    def client_receipts(self) -> Path:
        """What we did to the files of AI clients, with the bytes that stood there before."""
        return self.own / "clients"

    @property
    def app_settings(self) -> Path:
        """What the person has chosen for the program itself."""
        return self.own / "settings" / "app.json"

    @property
    def activity(self) -> Path:
        """The calls that were made."""
        return self.own / "activity.db"

    @property
    def verified_images(self) -> Path:
        """Digests of images whose signatures were checked."""
        return self.cache / "verified-images.json"

    @property
    def consents(self) -> Path:
        """What the person has agreed to."""
        return self.own / "consents.json"

    @property
    def server_choices(self) -> Path:
        """What was chosen for single servers; in a folder where nothing else is written, since that folder is watched."""
        return self.own / "settings" / "servers.yaml"

    @property
    def secrets(self) -> Path:
        """The sealed file of the secrets; in a folder where nothing else is written, since that folder is watched."""
        return self.own / "secrets" / "secrets.json"

    @property
    def env_file(self) -> Path:
        """A file in which a person may write secrets too, in the form of `.env` files."""
        return self.docker_mcp / ".env"

    @property
    def oauth_settings(self) -> Path:
        """What is set for single sign-ins: clients registered by hand, ports, scopes."""
        return self.own / "settings" / "oauth.yaml"

    @property
    def token(self) -> Path:
        """The gateway's bearer token where no keychain serves."""
        return self.own / "token"

    @property
    def client_tokens(self) -> Path:
        """The hashes of the bearer tokens that single clients have; in a folder of its own, since that is watched."""
        return self.own / "access" / "clients.json"

    @property
    def client_imports(self) -> Path:
        """What was moved out of clients' files, for its undoing."""
        return self.own / "client-imports.json"

    @property
    def logs(self) -> Path:
        """The folder of log files."""
        return self.own / "logs"

    def lock_for(self, file: Path) -> Path:
        """The lock file that every process uses for ``file``."""
        return self.locks / f"{file.name}.lock"
