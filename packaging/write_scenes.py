"""Write in pictures: an empty page, alternatives of the starter, a page in two hands, code, a long page, Inside."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt

from app.ui.write.write_tab import WriteTab
from app.ui.write.writing_options import OptionsSheet
from tests.helpers.desks.window import Frame
from tests.helpers.desks.write import WriteDesk

TIMEOUT_MS = 120_000
BEGINNING = "Deep learning is"
PAGE = """# The lighthouse

The keeper had not slept for two nights. The lamp was lit, the glass was clean, and still the ships kept away from the \
bay as if they had been told something that nobody had told her.

She wrote it down in the book, as she wrote down everything: the wind, the rain, and the ships that did not come. In \
the morning there were footprints on the stairs."""
HERS = PAGE[: PAGE.index(" In the morning")]
CODE = '''"""Prime numbers, by trial."""

from math import isqrt


def is_prime(number: int) -> bool:
    """Whether a number has no divisor but 1 and itself."""
    for divisor in range(2, isqrt(number) + 1):
        if number % divisor == 0:
            return False
    return number > 1


print([number for number in range(100) if is_prime(number)])
'''
LONG = "".join(
    f"On day {day} the wind came from the west, and the boats stayed in the harbour.\n\n" for day in range(900)
)

Step = Callable[[], object]


def screens(frame: Frame) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, what to do after it."""

    def begin(text: str = "", *, language: str = "", **options: object) -> WriteDesk:
        frame.show_tab("write")
        desk = frame.write
        desk.root.show_page(None)
        desk.root.options.choose(**options)
        desk.root.choose_language(language)
        desk.edit.textCursor().insertText(text)
        desk.keep_step()
        return desk

    def alternatives() -> None:
        desk = begin(BEGINNING, count=3, max_tokens=30, sampling={"seed": 5})
        desk.go_on()
        desk.wait(lambda: not desk.is_busy, TIMEOUT_MS)

    def write_tab() -> WriteTab:
        tab = frame.window.tab("write")
        assert isinstance(tab, WriteTab)
        return tab

    def page() -> None:
        number = frame.app.pages.create(PAGE).id
        frame.app.pages.save(number, PAGE, ((len(HERS), len(PAGE)),), len(PAGE), {})
        begin().root.show_page(number)
        write_tab().column.reload()

    def continued() -> None:
        desk = begin(BEGINNING, max_tokens=60, sampling={"seed": 5})
        desk.continue_to_end()

    def inside() -> None:
        continued()
        frame.do("inside")

    def options() -> None:
        begin(BEGINNING).open_options()

    def long() -> None:
        desk = begin(LONG, max_tokens=200)
        desk.wait(desk.cut_line.isVisible, TIMEOUT_MS)
        desk.click(desk.where_button)

    def close() -> None:
        desk = frame.write
        if desk.cards:
            desk.press(Qt.Key.Key_Escape)
        for sheet in desk.every(OptionsSheet):
            sheet.close()
        if frame.window.tabs.is_inside_open:
            frame.do("inside")
        number = desk.open_id
        if number is not None:
            frame.app.pages.delete(number)
        desk.root.forget()
        write_tab().column.reload()

    return [
        ("write-empty", lambda: begin(), close),  # noqa: PLW0108 - it takes what a step does not give
        ("write-alternatives", alternatives, close),
        ("write-continued", continued, close),
        ("write-page", page, close),
        ("write-code", lambda: begin(CODE, language="python"), close),
        ("write-long", long, close),
        ("write-options", options, close),
        ("write-inside", inside, close),
    ]
