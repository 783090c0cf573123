"""What the tab's model can translate, asked on a thread: its file's header says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.events import CancelToken
from app.language.names import LANGUAGES, language
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.model_loader import model_name
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.model_languages import Knows


VARIANTS = {"pt": ("pt-BR", "pt-PT")}
"""What is offered in place of a language that is written in two ways."""


@dataclass(frozen=True)
class Able:
    """A model and what it knows; None for both before that was asked."""

    model: Path | None = None
    knows: Knows | None = None

    @property
    def translates(self) -> bool:
        """Whether it knows two languages at all."""
        return self.model is not None and self.knows is not None and len(self.knows.languages) > 1

    @property
    def languages(self) -> tuple[str, ...]:
        """Those to choose from: the model's; all of them where a model is still to be fetched."""
        known = self.knows.languages if self.knows is not None and self.translates else ()
        codes = known or tuple(one.code for one in LANGUAGES)
        variants = (variant for code in codes for variant in VARIANTS.get(code, (code,)))
        return tuple(dict.fromkeys(variants))

    def can(self, source: str, target: str) -> bool:
        """Whether it can translate a pair; `source` "" is any."""
        from app.features.model_languages import can_translate  # 80 ms that the window need not wait for

        return self.translates and self.knows is not None and can_translate(self.knows, source, target)

    def missing(self, source: str, target: str) -> str:
        """Which language a model that translates does not know, as a sentence; "" where it does not translate."""
        if not self.translates or self.model is None:
            return ""
        for code in (target, source):
            found = language(code) if code else None
            if found is not None and not self.can("", code):
                name = model_name(self.model)
                return tr("{model} does not know {language}.", model=name, language=tr(found.english))
        return tr("{model} does not translate between these languages.", model=model_name(self.model))


class Capability(QObject):
    """`look` asks; `changed` tells when there is something else to know."""

    changed = Signal()

    def __init__(self, app: Fireside, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self._task: tasks.Task | None = None
        self._is_asked_again = False
        self.able: Able | None = None
        """None before it is known."""

    def look(self) -> None:
        """Asks what the model is and knows; nothing waits for it."""
        if self._task is not None:
            self._is_asked_again = True
            return
        self._task = tasks.run(self._found, self)
        self._task.event.connect(self._on_found)
        self._task.finished.connect(self._on_ended)
        self._task.failed.connect(self._on_failed)

    def _found(self, _cancel: CancelToken) -> Iterator[Able]:
        from app.features.model_languages import knows  # reads headers, and is not needed at start

        model = self._app.translations.model
        yield Able(model, knows(model))

    def _on_found(self, able: Able) -> None:
        if able != self.able:
            self.able = able
            self.changed.emit()

    def _on_ended(self) -> None:
        self._task = None
        if self._is_asked_again:
            self._is_asked_again = False
            self.look()

    def _on_failed(self, error: BaseException) -> None:
        self._notify.error(error)
        self._on_ended()
