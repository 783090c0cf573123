"""Object names of widgets: by them a style sheet and the tests find a widget, wherever it stands."""

from __future__ import annotations

from PySide6.QtCore import QObject


def name_widgets(**widgets: QObject) -> None:
    """Gives each its keyword as object name."""
    for name, widget in widgets.items():
        widget.setObjectName(name)
