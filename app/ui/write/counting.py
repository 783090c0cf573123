"""How much of a page the model reads: counted a moment after each change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.core.errors import AppError
from app.core.events import CancelToken
from app.ui.shell.model_loader import ModelLoader
from app.ui.work.at_hand import Answer, ModelAtHand

if TYPE_CHECKING:
    from app.engine.client import EngineClient
    from app.features.work.engines import TaskEngines
    from app.features.writing import PageAsked, Reading

MEASURE_MS = 500
"""After the last change, tokens are counted."""


class Kind(Enum):
    """What is asked of the model; of each kind only the newest is answered."""

    GO_ON = "go on"
    MEASURE = "measure"


class Counting(QObject):
    """Where a model is in memory only: nobody waits for numbers. A continuation counts, too."""

    measured = Signal()
    """`reading` is another."""

    def __init__(
        self,
        work: ModelAtHand,
        engines: Callable[[], TaskEngines],
        loader: ModelLoader,
        page: Callable[[], PageAsked],
    ) -> None:
        super().__init__(work)
        self._work, self._engines, self._loader, self._page = work, engines, loader, page
        self._known: dict[str, int] = {}
        self._known_of: Path | None = None
        self.reading: Reading | None = None
        """What the model would read of the page, or has read; None as long as nobody has counted."""
        self.written_tokens = 0
        """What it has written into the page since."""
        self._later = QTimer(self, singleShot=True, interval=MEASURE_MS)
        self._later.timeout.connect(self._measure)
        work.answered.connect(self._on_answer)

    @property
    def known(self) -> dict[str, int]:
        """What the model that would write now has counted."""
        model = self._engines().model()
        if self._known_of != model:
            self._known, self._known_of = {}, model
        return self._known

    def measure_soon(self) -> None:
        """Text, cursor, options or model are others."""
        self._later.start()

    def on_model_changed(self) -> None:
        """What was counted was counted by another model."""
        self.reading = None
        self.measured.emit()
        self.measure_soon()

    def rest(self) -> None:
        """Nobody looks at the page."""
        self._later.stop()

    def forget(self) -> None:
        """Another page is open."""
        self._later.stop()
        self.reading, self.written_tokens = None, 0

    def _measure(self) -> None:
        loaded, model = self._loader.model if self._loader.state == "ready" else None, self._engines().model()
        is_here = loaded is not None and model in (None, Path(loaded.path))
        if self._work.is_asked(Kind.GO_ON) or not (is_here or self._work.has_model):
            return
        page, known = self._page(), self.known

        def steps(engine: EngineClient, stop: CancelToken) -> Iterator[Any]:
            from app.features.writing import measure

            try:
                yield from measure(engine, page, known, stop)
            except AppError:
                return  # the next continuation says it

        self._work.ask(Kind.MEASURE, model, steps)

    def _on_answer(self, answer: Answer) -> None:
        from app.features.writing import Reading

        if isinstance(answer.event, Reading):
            self.reading, self.written_tokens = answer.event, 0
            self.measured.emit()
