"""``python installers/icons.py FOLDER`` draws the program's icon in every size a system asks for.

From resources/icons it makes PNG files for Linux, an .ico file for Windows and an .icns file for macOS; both hold PNG data.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ROOT = Path(__file__).resolve().parents[1]
NAME = "mcp-gateway-desktop"
LINUX = (16, 22, 24, 32, 36, 48, 64, 72, 96, 128, 192, 256, 512)
WINDOWS = (16, 20, 24, 32, 40, 48, 64, 256)
# Type codes of the icns format by edge length; the second of a kind is the same drawing for twice the density.
MACOS = {16: ("icp4",), 32: ("icp5", "ic11"), 64: ("icp6", "ic12"), 128: ("ic07",), 256: ("ic08", "ic13")}
MACOS |= {512: ("ic09", "ic14"), 1024: ("ic10",)}
SMALL = 24
"""Up to this edge the simpler drawing is used."""


def png(edge: int) -> bytes:
    """The icon with this edge length."""
    source = ROOT / "resources" / "icons" / ("app-small.svg" if edge <= SMALL else "app.svg")
    image = QImage(edge, edge, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(source)).render(painter, QRectF(0, 0, edge, edge))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):
        raise SystemExit(f"icons: {source} could not be drawn with {edge} pixels")
    return bytes(buffer.data().data())


def ico(images: dict[int, bytes]) -> bytes:
    """A Windows icon: a directory of images, then their data."""
    offset = 6 + 16 * len(images)
    head, data = struct.pack("<HHH", 0, 1, len(images)), b""
    for edge, image in images.items():
        head += struct.pack("<BBBBHHII", edge % 256, edge % 256, 0, 0, 1, 32, len(image), offset + len(data))
        data += image
    return head + data


def icns(images: dict[int, bytes]) -> bytes:
    """A macOS icon: blocks of a type, a length and the data."""
    blocks = b"".join(
        code.encode("ascii") + struct.pack(">I", len(image) + 8) + image
        for edge, image in images.items()
        for code in MACOS[edge]
    )
    return b"icns" + struct.pack(">I", len(blocks) + 8) + blocks


def main(folder: Path) -> None:
    """Write all files."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication([NAME])
    for edge in LINUX:
        file = folder / "hicolor" / f"{edge}x{edge}" / "apps" / f"{NAME}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(edge))
    folder.joinpath(f"{NAME}.ico").write_bytes(ico({edge: png(edge) for edge in WINDOWS}))
    folder.joinpath(f"{NAME}.icns").write_bytes(icns({edge: png(edge) for edge in MACOS}))
    del application


if __name__ == "__main__":
    main(Path(sys.argv[1]))
