"""Finding, for the pictures: in the open chat, in the chats' column, and in everything at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtTest import QTest

from app.ui.shell.palette import Palette
from tests.helpers.desks.window import Frame

Step = Callable[[], object]
TIMEOUT_MS = 60_000


def screens(frame: Frame, told: int) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, what to do after it. `told` is the chat that is open."""

    def find() -> None:
        frame.show_tab("chat")
        frame.show_chat(told)
        frame.do("find")
        QTest.keyClicks(frame.chat.finding.search.field, "thunder")
        frame.wait(lambda: bool(frame.chat.finding.search.hits), TIMEOUT_MS)

    def search() -> None:
        frame.show_tab("chat")
        frame.show_chat(told)
        frame.do("search")
        frame.chats.find_words("light")
        frame.wait(lambda: any(row.startswith("Light is") for row in frame.chats.rows), TIMEOUT_MS)

    def palette() -> None:
        frame.show_tab("chat")
        frame.show_chat(told)
        frame.do("palette")
        frame.find_step(Palette).field.setText("li")
        frame.wait(lambda: any(entry.snippet for entry in frame.find_step(Palette).entries.entries), TIMEOUT_MS)

    return [
        ("find", find, lambda: frame.chat.finding.close_bar()),  # noqa: PLW0108 - it is made when it is opened
        ("search", search, lambda: frame.chats.find_words("")),
        ("palette", palette, lambda: frame.find_step(Palette).close_palette()),
    ]
