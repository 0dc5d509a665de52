"""Runs first in the built program: makes its environment what it would be without PyInstaller.

The bootloader adds its library path and variables of its own. This process has used them already; the programs it starts
(servers, browsers, credential helpers) would load our libraries instead of theirs.
"""

import os
import sys


def clean(environ):
    """Take out what the bootloader has put in; a variable that it moved aside comes back.

    Args:
        environ: The environment, changed in place.
    """
    for name in [name for name in environ if name.startswith(("_PYI_", "_MEIPASS"))]:
        del environ[name]
    if sys.platform in ("win32", "darwin"):
        return
    original = environ.pop("LD_LIBRARY_PATH_ORIG", None)
    environ.pop("LD_LIBRARY_PATH", None)
    if original:
        environ["LD_LIBRARY_PATH"] = original


def find_certificates(environ, exists=os.path.exists):
    """Say where the system's certificates are, unless OpenSSL finds them by itself or the person has said it.

    The OpenSSL that we bring looks where Debian has them.

    Args:
        environ: The environment, changed in place.
        exists: Whether a path is there.
    """
    if "SSL_CERT_FILE" in environ or "SSL_CERT_DIR" in environ or exists("/usr/lib/ssl/certs"):
        return
    for bundle in (
        "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine
        "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora and its descendants
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # newer ones of them
        "/etc/ssl/ca-bundle.pem",  # openSUSE
        "/etc/ssl/cert.pem",
    ):
        if exists(bundle):
            environ["SSL_CERT_FILE"] = bundle
            return


if getattr(sys, "frozen", False):
    clean(os.environ)
    if sys.platform == "linux":
        find_certificates(os.environ)
