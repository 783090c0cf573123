"""Pages of the Models view that work with the program itself: a fresh home with models in it, and a real child."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from app.bootstrap import Fireside, build_program
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from tests.helpers.desks.desk import Desk
from tests.ui.models.stand_in import Loader, context


class Room(Desk):
    """One page in a window of its own."""

    theme: Theme
    page: Any
    loader: Loader

    def names_heard(self, *parts: QWidget) -> str:
        """All that these parts, and what is in them, show, say or tell in a tip."""
        said: list[str] = []
        for part in parts:
            for widget in (part, *part.findChildren(QWidget)):
                said += [widget.accessibleName(), widget.accessibleDescription(), widget.toolTip()]
                said += [str(getattr(widget, way)()) for way in ("text", "toPlainText") if hasattr(widget, way)]
        return "\n".join(said)


@contextmanager
def open_room(
    application: QApplication, make: Any, *, scheme: str = "light", models: dict[str, bytes] | None = None
) -> Iterator[Room]:
    """`make` is the class of the page; `models` are files that lie in the models folder."""
    app: Fireside = build_program()
    for name, data in (models or {}).items():
        path = Path(app.paths.models) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    theme = Theme(scheme)
    theme.install(application)
    notify, loader = Notify(theme), Loader()
    page = make(app, context(theme, notify, loader))
    window = QWidget()
    column = QVBoxLayout(window)
    column.addWidget(page)
    column.addWidget(notify.bar)
    window.resize(1000, 800)
    window.show()
    room = Room(window, app, notify)
    room.theme, room.page, room.loader = theme, page, loader
    try:
        page.reload()
        yield room
    finally:
        if hasattr(page, "stop"):
            page.stop()
        window.close()
        assert tasks.running.stop_all(60)
        tasks.running.reopen()
        window.deleteLater()
        app.close()
        application.setStyleSheet("")
