"""Words the tray and the window share, ready for translation."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QDate, QDateTime, QLocale, QObject, Qt
from PySide6.QtGui import QFontMetrics

from desktop.activity.record import Outcome
from desktop.host import EndpointStatus, EngineState, EngineStatus
from desktop.servers.status import ServerKind, ServerState, ServerStatus
from desktop.sharing import Sharing

__all__ = [
    "address",
    "calls",
    "clients",
    "clock",
    "containers",
    "day",
    "duration",
    "elided",
    "elided_to",
    "engine_trouble",
    "engine_words",
    "in_clients",
    "in_one_line",
    "kind_word",
    "moment",
    "needs_person",
    "outcome_word",
    "plain_keys",
    "prompts",
    "resources",
    "sentence",
    "servers",
    "sharing_meaning",
    "sharing_word",
    "size",
    "state_word",
    "title_of",
    "tokens",
    "took",
    "tools",
    "waiting",
]

translate = QCoreApplication.translate


def state_word(state: ServerState) -> str:
    """The word for a state in the person's language."""
    match state:
        case ServerState.OFF:
            return translate("ServerState", "off")
        case ServerState.STARTING:
            return translate("ServerState", "starting")
        case ServerState.READY:
            return translate("ServerState", "ready")
        case ServerState.IDLE:
            return translate("ServerState", "idle")
        case ServerState.NEEDS_SIGN_IN:
            return translate("ServerState", "needs sign-in")
        case ServerState.NEEDS_SETTING:
            return translate("ServerState", "needs setting")
        case ServerState.FAILING:
            return translate("ServerState", "failing")


def kind_word(kind: ServerKind) -> str:
    """The word for how a server is reached."""
    match kind:
        case ServerKind.CONTAINER:
            return translate("ServerKind", "container")
        case ServerKind.PACKAGE:
            return translate("ServerKind", "package")
        case ServerKind.REMOTE:
            return translate("ServerKind", "remote")
        case ServerKind.TOOLS:
            return translate("ServerKind", "tools in containers")


def sharing_word(sharing: Sharing) -> str:
    """The word for who shares a running server."""
    match sharing:
        case Sharing.SHARED:
            return translate("Sharing", "shared")
        case Sharing.PER_CLIENT:
            return translate("Sharing", "per client")
        case Sharing.PER_CALL:
            return translate("Sharing", "per call")


def sharing_meaning(sharing: Sharing) -> str:
    """What that means, to choose by."""
    match sharing:
        case Sharing.SHARED:
            return translate("Sharing", "shared: one instance for all clients")
        case Sharing.PER_CLIENT:
            return translate("Sharing", "per client: each client has its own")
        case Sharing.PER_CALL:
            return translate("Sharing", "per call: each call gets a fresh one")


def duration(seconds: float) -> str:
    """A time span, short: "12 s" or "3 min"."""
    if seconds < 60:
        return translate("Duration", "{count} s").format(count=int(seconds))
    return translate("Duration", "{count} min").format(count=int(seconds // 60))


def took(seconds: float) -> str:
    """How long something took: "0.4 ms", "412 ms", "1.2 s", "3 min"."""
    if seconds < 0.01:
        return translate("Duration", "{count} ms").format(count=f"{seconds * 1000:.1f}")
    if seconds < 1:
        return translate("Duration", "{count} ms").format(count=round(seconds * 1000))
    if seconds < 60:
        return translate("Duration", "{count} s").format(count=f"{seconds:.1f}")
    return translate("Duration", "{count} min").format(count=int(seconds // 60))


def size(count: int) -> str:
    """An amount of data, as the person's language writes it: "9.2 kB"."""
    return QLocale().formattedDataSize(count, 1, QLocale.DataSizeFormat.DataSizeSIFormat)


def clock(at: float) -> str:
    """The time of day of a moment today, else its date and time, short."""
    moment = QDateTime.fromSecsSinceEpoch(int(at))
    if moment.date() == QDate.currentDate():
        return moment.toString("HH:mm:ss")
    return QLocale().toString(moment, QLocale.FormatType.ShortFormat)


def day(at: float) -> str:
    """The date of a moment, or the time of day where that was today."""
    when = QDateTime.fromSecsSinceEpoch(int(at))
    if when.date() == QDate.currentDate():
        return when.toString("HH:mm")
    return QLocale().toString(when.date(), QLocale.FormatType.ShortFormat)


def moment(at: float) -> str:
    """Date and time of a moment, to the second."""
    when = QDateTime.fromSecsSinceEpoch(int(at))
    return f"{QLocale().toString(when.date(), QLocale.FormatType.ShortFormat)} {when.toString('HH:mm:ss')}"


def outcome_word(outcome: Outcome) -> str:
    """How a call ended, in a word."""
    match outcome:
        case Outcome.OK:
            return translate("Outcome", "ok")
        case Outcome.TOOL_ERROR:
            return translate("Outcome", "tool error")
        case Outcome.ERROR:
            return translate("Outcome", "error")
        case Outcome.CANCELLED:
            return translate("Outcome", "cancelled")


class _Counts(QObject):
    """Numbers with their nouns. `self.tr` is what the collector of texts recognises as having plural forms."""

    def say(self, what: str, count: int) -> str:
        """The number and its noun; an untranslated text keeps Qt's plural mark, a translation never does."""
        text = {
            "calls": self.tr("%n call(s) running", "", count),
            "clients": self.tr("%n client(s)", "", count),
            "in_clients": self.tr("in %n client(s)", "", count),
            "plain_keys": self.tr("%n key(s) in plain text", "", count),
            "containers": self.tr("%n container(s)", "", count),
            "prompts": self.tr("%n prompt(s)", "", count),
            "resources": self.tr("%n resource(s)", "", count),
            "servers": self.tr("%n server(s)", "", count),
            "tokens": self.tr("about %n token(s)", "", count),
            "tools": self.tr("%n tool(s)", "", count),
            "waiting": self.tr("%n waiting for you", "", count),
        }[what]
        return text.replace("(s)", "" if count == 1 else "s")


def calls(count: int) -> str:
    """ "2 calls running"."""
    return _Counts().say("calls", count)


def clients(count: int) -> str:
    """ "2 clients"."""
    return _Counts().say("clients", count)


def in_clients(count: int) -> str:
    """ "in 2 clients"."""
    return _Counts().say("in_clients", count)


def plain_keys(count: int) -> str:
    """ "2 keys in plain text"."""
    return _Counts().say("plain_keys", count)


def containers(count: int) -> str:
    """ "1 container"."""
    return _Counts().say("containers", count)


def prompts(count: int) -> str:
    """ "2 prompts"."""
    return _Counts().say("prompts", count)


def resources(count: int) -> str:
    """ "4 resources"."""
    return _Counts().say("resources", count)


def servers(count: int) -> str:
    """ "3 servers"."""
    return _Counts().say("servers", count)


def tools(count: int) -> str:
    """ "61 tools"."""
    return _Counts().say("tools", count)


def tokens(count: int) -> str:
    """ "about 9200 tokens": an estimate, so no more than two digits of it are told."""
    step = 10 ** max(len(str(count)) - 2, 0)
    return _Counts().say("tokens", round(count / step) * step)


def waiting(count: int) -> str:
    """ "2 waiting for you"."""
    return _Counts().say("waiting", count)


def title_of(status: ServerStatus) -> str:
    """Display name, or the catalog name where there is none."""
    return status.title or status.name


def in_one_line(text: str) -> str:
    """The text without line breaks and runs of blanks, for places that show one line."""
    return " ".join(text.split())


def elided(text: str, length: int) -> str:
    """At most ``length`` characters, for places whose width we don't rule (a menu drawn by the desktop)."""
    text = in_one_line(text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def elided_to(text: str, metrics: QFontMetrics, width: int) -> str:
    """As much of one line as fits ``width`` pixels."""
    return metrics.elidedText(in_one_line(text), Qt.TextElideMode.ElideRight, max(0, width))


def sentence(text: str) -> str:
    """The text with a full stop at its end, where it has none."""
    text = text.strip()
    return text if not text or text.endswith((".", "…", "?", ")")) else text + "."


def needs_person(status: ServerStatus) -> bool:
    """Whether the server waits for the person: a setting, a sign-in, or a look at why it fails."""
    return status.enabled and status.state in (
        ServerState.NEEDS_SETTING,
        ServerState.NEEDS_SIGN_IN,
        ServerState.FAILING,
    )


def engine_trouble(engine: EngineStatus) -> bool:
    """Whether there is an engine problem to tell."""
    return engine.state in (EngineState.NOT_RUNNING, EngineState.NO_PERMISSION)


def engine_words(engine: EngineStatus) -> str:
    """Where the engine is, in a few words; its name when connected."""
    match engine.state:
        case EngineState.CONNECTED:
            return engine.name or translate("EngineState", "Docker")
        case EngineState.LOOKING:
            return translate("EngineState", "Looking for Docker…")
        case EngineState.NOT_RUNNING:
            return translate("EngineState", "Docker is not running")
        case EngineState.NO_PERMISSION:
            return translate("EngineState", "No permission to use Docker")


def address(endpoint: EndpointStatus) -> str:
    """Host and port of the endpoint, as short as people say it."""
    return endpoint.url.partition("://")[2].partition("/")[0]
