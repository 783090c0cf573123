"""Uses the real window for as long as it is told: turns, summaries, translations, pages, models, the window itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, cycle
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ui.inside.inside_panel import InsidePanel
from app.ui.shell.memory_rest import REST_AFTER_MS
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.inside import InsideDesk
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.soak.figures import ProcessSample, take_sample

TURNS = 3
SIZES = ((1280, 800), (760, 560), (1500, 950), (1000, 700))
KEPT_CHATS = 4
CALM_MS = REST_AFTER_MS + 2000
"""Of a round's end: a person's window is idle most of the time, and frees memory then."""
PLACES = ("harbour", "mill", "kiln", "bridge", "barn", "ferry", "quarry", "lighthouse")


class WindowRobot:
    """Does in minutes what a person does in hours, and looks at the processes after every round.

    `models` are two files between which it changes; the first one translates.
    """

    def __init__(self, frame: Frame, models: Sequence[Path], folder: Path) -> None:
        self.frame, self.folder = frame, folder
        self.chat = ChatDesk(frame.chat, frame.app, frame.notify)
        self.done: Counter[str] = Counter()
        self._models, self._schemes = models, cycle(("dark", "light"))
        self._numbers = count(1)
        self._chats: list[int] = []

    def use(self, seconds: float) -> Iterator[ProcessSample]:
        """Yield a sample after each round, until the time is over."""
        ends_s = time.monotonic() + seconds
        self._wait_for_model(self._models[0])
        while time.monotonic() < ends_s:
            for model in self._models:
                self._change_model(model)
                self._chat()
                self._summarize(is_written=model == self._models[0])
                self._handle_window()
                if model == self._models[0]:
                    self._translate()
                    self._write_page()
            self.done["rounds"] += 1
            QTest.qWait(CALM_MS)
            yield take_sample()

    def _story(self) -> str:
        """Return a sentence that was said never before."""
        number = next(self._numbers)
        place = PLACES[number % len(PLACES)]
        return f"The {place} of village {number} was built in {1500 + number} and sold for {number * 37} crowns."

    def _change_model(self, path: Path) -> None:
        self.frame.click_tab("chat")  # the other tabs' models are their own
        if self.frame.loader.path != path:
            self.frame.window.use_model(path)
            self.done["model switches"] += 1
        self._wait_for_model(path)

    def _wait_for_model(self, path: Path) -> None:
        self.frame.wait(lambda: (self.frame.loader.path, self.frame.loader.state) == (path, "ready"))

    def _chat(self) -> None:
        """Ask in a new chat, look at the tokens of the answer, open an older chat and delete the oldest."""
        self.frame.click_tab("chat")
        self.frame.new_chat()
        for _ in range(TURNS):
            self.chat.ask(f"{self._story()} What was it sold for?")
            self.done["turns"] += 1
        number = self.frame.chat.conversation_id
        assert number is not None
        self._look_inside()
        self._chats.append(number)
        self.frame.show_chat(self._chats[0])
        self.frame.wait(lambda: self.chat.is_settled)
        if len(self._chats) > KEPT_CHATS:
            oldest = self._chats.pop(0)
            self.frame.chats.choose_for(oldest, "Delete")
            self.frame.wait(lambda: not self.frame.chats.has_row(oldest))
            self.done["chats deleted"] += 1

    def _look_inside(self) -> None:
        self.frame.do("inside")
        desk = InsideDesk(self.frame.find_step(InsidePanel), self.frame.app, self.frame.notify)
        self.frame.wait(desk.root.isVisible)
        desk.show_page("Probabilities")

        def are_read() -> bool:
            """An answer that was just chosen may be offered again."""
            if desk.is_reading_offered:
                desk.click(desk.read_again)
            return bool(desk.pieces)

        self.frame.wait(are_read)
        self.frame.do("inside")
        self.done["looks inside"] += 1

    def _summarize(self, *, is_written: bool) -> None:
        """Keep sentences of a new document, or have the model write; open it, and the document beside the chat."""
        file = self.folder / f"notes {next(self._numbers)}.md"
        lines = [f"{self._story()} {self._story()}" for _ in range(2 if is_written else 40)]
        file.write_text("\n\n".join(["# Notes", *lines]), "utf-8")
        self.frame.new_summary()
        desk = self.frame.summarize
        desk.drop(file)
        desk.click(desk.anyway_button if is_written and desk.anyway_button.isVisible() else desk.begin_button)
        desk.wait(lambda: desk.page == "result" and not self.frame.is_at_work)
        self.done["summaries"] += 1

    def _translate(self) -> None:
        self.frame.click_tab("translate")
        self.frame.new_translation()
        desk = self.frame.translate
        desk.wait(lambda: desk.is_model_known)
        desk.paste(self._story())
        desk.wait(lambda: desk.is_complete and not desk.is_busy)
        self.done["translations"] += 1

    def _write_page(self) -> None:
        self.frame.click_tab("write")
        self.frame.do("new")
        desk = self.frame.write
        desk.type(self._story())
        desk.continue_to_end()
        self.done["pages"] += 1

    def _handle_window(self) -> None:
        """Change sizes, tabs, colours and zoom; open the settings, the palette, the models, the list."""
        window = self.frame.window
        for size in SIZES:
            window.resize(*size)
            QTest.qWait(20)
        for name in ("chat", "summarize", "translate", "write", "models", "chat"):
            self.frame.show_tab(name)
            QTest.qWait(20)
        self.frame.theme.scheme = next(self._schemes)
        for name in ("zoom_in", "zoom_reset", "sidebar", "sidebar"):
            self.frame.do(name)
            QTest.qWait(20)
        settings = SettingsDesk(self.frame)
        pages = settings.page_count
        for page in range(pages):
            settings.show_page(page)
            QTest.qWait(10)
        settings.close()
        self.frame.activate()
        self.frame.do("palette")
        self.frame.keys("village")
        QTest.qWait(300)
        self.frame.press(Qt.Key.Key_Escape)
        window.showMinimized()
        QTest.qWait(50)
        window.showNormal()
        self.frame.activate()
        self.done["window events"] += len(SIZES) + 6 + 1 + 4 + pages + 4
