"""Inside in pictures, beside a real answer of the starter: each of the panel's pages, and what else could have come."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt

from app.core.catalogue import tr
from app.ui.i18n import label_value
from app.ui.inside.inside_panel import InsidePanel
from app.ui.inside.look import LookPage
from tests.helpers.desks.inside import InsideDesk
from tests.helpers.desks.window import Frame

TIMEOUT_MS = 120_000
TEXT = "The cat sat on the mat because the mat was warm."

Step = Callable[[], object]


def is_looking(desk: InsideDesk) -> bool:
    """Whether the page that is open waits for an answer."""
    assert isinstance(desk.page, LookPage)
    return desk.page.is_looking


def screens(frame: Frame, answered: int) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, what to do after it; `answered` is a chat with an answer."""

    def begin(page: str) -> InsideDesk:
        frame.show_tab("chat")
        frame.show_chat(answered)
        frame.do("inside")
        desk = InsideDesk(frame.find_step(InsidePanel), frame.app, frame.notify)
        desk.show_page(page)
        return desk

    def tokens() -> None:
        desk = begin("Tokens")
        desk.look_at(tr("The prompt of this answer"))
        desk.wait(lambda: tr("Template") in desk.counts, TIMEOUT_MS)
        desk.press_token(Qt.Key.Key_Right)

    def probabilities() -> None:
        desk = begin("Probabilities")
        if desk.is_reading_offered:
            desk.click(desk.read_again)
        desk.wait(lambda: desk.tokens and not is_looking(desk), TIMEOUT_MS)
        desk.press_token(Qt.Key.Key_Right)

    def choices() -> None:
        probabilities()
        desk = InsideDesk(frame.find_step(InsidePanel), frame.app, frame.notify)
        desk.press_token(Qt.Key.Key_Return)

    def short(page: str) -> None:
        desk = begin(page)
        desk.look_at(tr("Your own text"))
        desk.own_text.setPlainText(TEXT)
        desk.wait(lambda: desk.root.subject is not None and desk.root.subject.text == TEXT, TIMEOUT_MS)
        desk.wait(lambda: not is_looking(desk), TIMEOUT_MS)

    def attention(way: str) -> None:
        short("Attention")
        desk = InsideDesk(frame.find_step(InsidePanel), frame.app, frame.notify)
        desk.click(desk.button(label_value(tr("Show as"), tr(way))))

    def close() -> None:
        desk = InsideDesk(frame.find_step(InsidePanel), frame.app, frame.notify)
        desk.look_at(tr("The answer"))
        frame.do("inside")

    return [
        ("inside-tokens", tokens, close),
        ("inside-probabilities", probabilities, close),
        ("inside-choices", choices, close),
        ("inside-attention", lambda: attention("Arcs"), close),
        ("inside-map", lambda: attention("Map"), close),
        ("inside-heads", lambda: attention("All heads"), close),
        ("inside-layers", lambda: short("Layers"), close),
    ]
