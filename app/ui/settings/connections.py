"""Table of all connections ever made: time, host, purpose, amount, proxy, whose certificates were trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from app.core.lazy_dataclasses import dataclass
from app.hub.connection_ledger import BUILT_IN, OWN, SYSTEM, ConnectionLedger, HubConnection
from app.ui.i18n import Translatable, size_text, tr
from app.ui.locale_formats import format_moment
from app.ui.theme import Theme
from app.ui.widgets.labels import plain_tip
from app.ui.widgets.tables import ListTable

CONNECTION_REFUSED = "{what} (blocked)"
FETCHING_FILE = "Downloading {file}"

ALL = 1_000_000
"""Limit for the ledger, more than anyone reaches."""
WHEN, HOST, WHY, SIZE, PROXY, TRUSTED = range(6)
WIDTHS_PX = {WHEN: 130, HOST: 112, SIZE: 68, PROXY: 92, TRUSTED: 98}
TITLES: tuple[Translatable, ...] = ("When", "Host", "Purpose", "Received", "Proxy", "Certificates")
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class Connections:
    """Rows of the table, and totals over all of them."""

    rows: list[HubConnection]
    hosts: int
    received_bytes: int


def read(ledger: ConnectionLedger) -> Connections:
    """Read all connections, newest first; run it on a thread, as there may be thousands."""
    found = ledger.connections(ALL)
    return Connections(
        found, len({hub_connection.host for hub_connection in found}), sum(connection.bytes for connection in found)
    )


WHY_WORDS: dict[str, Translatable] = {
    "search": "Searching for models",
    "repository": "Listing a model’s files",
    "card": "Reading about a model",
    "memory estimate": "Estimating the memory a model needs",
    "updates": "Checking for updates",
    "models": "Asking a server for its models",
    "test": "Testing a server",
    "answer": "Answer from a server",
    "count": "Counting tokens on a server",
    "tools": "Using a tool",
    "lent memory": "Using the memory of another computer",
}


def why_text(connection: HubConnection) -> str:
    """Return a connection's purpose in the user's language; says if it was refused."""
    # "download" is followed by the file's path.
    what, _, file = connection.why.partition(" ")
    fetched = file.rpartition("/")[2] if what == "download" else ""
    words = (
        tr(FETCHING_FILE, file=fetched)
        if fetched
        else tr(WHY_WORDS[connection.why])
        if connection.why in WHY_WORDS
        else connection.why
    )
    return tr(CONNECTION_REFUSED, what=words) if connection.status >= 400 else words


TRUSTED_WORDS: dict[str, Translatable] = {
    SYSTEM: "System",
    BUILT_IN: "Built-in",
    f"{SYSTEM}+{OWN}": "System, own",
    f"{BUILT_IN}+{OWN}": "Built-in, own",
}
"""Whose certificates were trusted; a connection without TLS, or from before it was noted, has none."""


def trusted_text(connection: HubConnection) -> str:
    return tr(TRUSTED_WORDS[connection.trusted]) if connection.trusted in TRUSTED_WORDS else ""


_TEXTS: dict[int, Callable[[HubConnection], str]] = {
    WHEN: lambda row: format_moment(row.at),
    HOST: lambda row: row.host,
    WHY: why_text,
    SIZE: lambda row: size_text(row.bytes),
    PROXY: lambda row: row.proxy,
    TRUSTED: trusted_text,
}


class ConnectionModel(QAbstractTableModel):
    """Table model of connections in the order in which they are given."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[HubConnection] = []

    def show_rows(self, rows: list[HubConnection]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(TITLES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignTrailing if index.column() == SIZE else Qt.AlignmentFlag.AlignLeading
            return side | Qt.AlignmentFlag.AlignVCenter
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            # Written here, for what is visible, as there may be thousands of rows.
            text = _TEXTS[index.column()](row)
            return plain_tip(text) if role == Qt.ItemDataRole.ToolTipRole else text
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(TITLES[section])
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font("caption")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignTrailing if section == SIZE else Qt.AlignmentFlag.AlignLeading
            return side | Qt.AlignmentFlag.AlignVCenter
        return None


class ConnectionTable(ListTable):
    """Table in the ledger's order, newest first; it can't be sorted otherwise."""

    def __init__(self, theme: Theme) -> None:
        self.rows = ConnectionModel(theme)
        super().__init__(self.rows, tr("Connections"), select_all=tr("Select all connections"), widest=WHY)
        self._theme = theme
        self.setObjectName("connections")
        # Headers that can't sort must not look like buttons.
        self.horizontalHeader().setSectionsClickable(False)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_rows(self, rows: list[HubConnection]) -> None:
        """Show connections; the column of proxies only where one was used, to leave the others room."""
        self.rows.show_rows(rows)
        self.setColumnHidden(PROXY, not any(row.proxy for row in rows))

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self.setFont(self._theme.font("small"))
        self.verticalHeader().setDefaultSectionSize(px(28))
        self.setFixedHeight(px(28 * 8))
        for column, width in WIDTHS_PX.items():
            self.setColumnWidth(column, px(width))
