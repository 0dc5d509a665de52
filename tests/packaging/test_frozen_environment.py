"""The environment of the built program, and with it of everything that the program starts."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

HOOK = runpy.run_path(str(Path(__file__).parents[2] / "installers" / "frozen_environment.py"))
clean, find_certificates = HOOK["clean"], HOOK["find_certificates"]
FEDORA = "/etc/pki/tls/certs/ca-bundle.crt"


@pytest.fixture(autouse=True)
def _linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")


def test_what_the_bootloader_added_is_gone() -> None:
    environment = {"PATH": "/bin", "_PYI_ARCHIVE_FILE": "/x", "_PYI_PARENT_PROCESS_LEVEL": "1", "LD_LIBRARY_PATH": "/b"}
    clean(environment)
    assert environment == {"PATH": "/bin"}


def test_the_persons_own_library_path_comes_back() -> None:
    environment = {"_PYI_ARCHIVE_FILE": "/x", "LD_LIBRARY_PATH": "/b:/mine", "LD_LIBRARY_PATH_ORIG": "/mine"}
    clean(environment)
    assert environment == {"LD_LIBRARY_PATH": "/mine"}


def test_certificates_are_found_where_the_system_is_not_debian() -> None:
    environment: dict[str, str] = {}
    find_certificates(environment, {FEDORA}.__contains__)
    assert environment == {"SSL_CERT_FILE": FEDORA}


@pytest.mark.parametrize("said", [{"SSL_CERT_FILE": "/mine.pem"}, {"SSL_CERT_DIR": "/mine"}])
def test_what_the_person_says_of_certificates_holds(said: dict[str, str]) -> None:
    environment = dict(said)
    find_certificates(environment, {FEDORA}.__contains__)
    assert environment == said


def test_nothing_is_said_of_certificates_where_openssl_finds_them() -> None:
    environment: dict[str, str] = {}
    find_certificates(environment, {"/usr/lib/ssl/certs", FEDORA}.__contains__)
    assert environment == {}
