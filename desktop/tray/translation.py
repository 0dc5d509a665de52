"""The person's language: our own texts, Qt's, and how numbers and dates are written, all in one."""

from __future__ import annotations

import logging

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from desktop.tray import artwork

__all__ = ["language_for", "languages", "translate_into"]

SOURCE = "en"
"""The language the texts are written in; it needs no file."""

_NAME = "mcp-gateway_"
log = logging.getLogger(__name__)


def languages() -> tuple[str, ...]:
    """Codes of the languages there are, English first."""
    folder = artwork.icons_directory().parent / "translations"
    return (SOURCE, *sorted(path.stem.removeprefix(_NAME) for path in folder.glob(f"{_NAME}*.qm")))


def language_for(chosen: str, system: QLocale) -> str:
    """The language to speak.

    Args:
        chosen: A language's code the person has chosen; empty follows the system.
        system: The system's locale, whose list of languages is taken in its order.

    Returns:
        A code of `languages`; English where none of the wanted ones is there.
    """
    there = languages()
    wanted = [chosen] if chosen else [name.partition("-")[0] for name in system.uiLanguages()]
    return next((code for code in wanted if code in there), SOURCE)


def translate_into(application: QCoreApplication, chosen: str) -> str:
    """Speak the person's language from here on; windows made before keep theirs.

    Qt's own texts follow ours, so that no window mixes two languages.

    Args:
        application: What the translations are installed in.
        chosen: A language's code; empty follows the system.

    Returns:
        The code of the language spoken.
    """
    system = QLocale.system()
    code = language_for(chosen, system)
    if chosen and QLocale(code).language() is not system.language():
        QLocale.setDefault(QLocale(code))
    if code == SOURCE:
        return code
    ours = artwork.icons_directory().parent / "translations"
    for name, folder in (
        (f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
        (f"{_NAME}{code}", str(ours)),
    ):
        translator = QTranslator(application)
        if translator.load(name, folder):
            application.installTranslator(translator)
        else:
            log.warning("the texts in %s are missing from this installation: %s", code, name)
    return code
