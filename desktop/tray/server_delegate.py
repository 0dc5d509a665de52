"""Draws a row of the server list: state, names, word, tool count, and a switch that mouse and Space move."""

from __future__ import annotations

from desktop.servers.status import ServerStatus
from desktop.tray import artwork, words
from desktop.tray.server_list import StatusRole
from desktop.tray.switch_row import Index, Row, SwitchRowDelegate
from desktop.tray.theme import state_colour

__all__ = ["ServerDelegate"]


class ServerDelegate(SwitchRowDelegate):
    """The row of a server."""

    def row(self, index: Index) -> Row:
        """What it says."""
        status: ServerStatus = index.data(StatusRole)
        colour = state_colour(self._theme.tokens, status.state)
        troubled = words.needs_person(status) and bool(status.reason)
        return Row(
            drawing=artwork.state_drawing(status.state),
            colour=colour,
            title=words.title_of(status),
            faded=not status.enabled,
            below=status.reason if troubled else f"{words.kind_word(status.kind)} · {status.source}".rstrip(" ·"),
            below_colour=colour if troubled else "",
            word=words.state_word(status.state),
            note=words.tools(status.tool_count) if status.enabled and status.tool_count is not None else "",
        )
