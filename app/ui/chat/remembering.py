"""“Remember this”: stores a text from a chat as a memory for later chats."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QWidget

from app.core.errors.app_error import expected_error
from app.core.visible import clean_text
from app.features.projects import PreambleCosts
from app.store.projects import Project
from app.ui.i18n import tr, tr_count
from app.ui.shared_labels import REMEMBER_SELECTION
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.widgets.input_fields import SegmentedControl
from app.ui.widgets.labels import plain_label
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

MEMORIES_TOKEN = "Uses about {count} token of each chat. Estimated, because no model is loaded."
MEMORIES_TOKENS = "Uses about {count} tokens of each chat. Estimated, because no model is loaded."

IN_THIS_PROJECT = "In this project"

MOST_CHARACTERS = 2000
TYPING_MS = 400
HERE, EVERYWHERE = "here", "everywhere"


class MemoryActions(QObject):
    """Offers memories in the chat tab, stored only after the dialog. `project` returns the visible chat's project."""

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, project: Callable[[], Project | None], window: QWidget
    ) -> None:
        super().__init__(window)
        self._app, self._theme, self._notify, self._project, self._window = app, theme, notify, project, window

    def ask(self, text: str) -> RememberDialog | None:
        """Open the dialog with the text to store; returns None without any words."""
        # A memory is one line in a list, which a line break would end.
        if not (line := " ".join(clean_text(text).split())):
            return None
        app, is_on = self._app, self._app.settings.chat.memory
        costs = PreambleCosts(lambda: app.engine)
        dialog = RememberDialog(
            self._theme, line, self._project(), costs, self._window, is_on=is_on, save=self._save_memory
        )
        dialog.open()
        return dialog

    def _save_memory(self, text: str, project_id: object) -> None:
        memories = self._app.preambles.memories

        def take_back() -> None:
            with self._notify.guard():
                memories.delete(number)

        with self._notify.guard():
            number = memories.add(text, project_id if isinstance(project_id, int) else None).id
            self._notify.undo(tr("Remembered. The next answer rereads its chat."), take_back)


class RememberDialog(QuestionDialog):
    """Asks what to remember. `save` gets the text, and the id of a project or None for every chat."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        project: Project | None,
        costs: PreambleCosts,
        parent: QWidget,
        *,
        is_on: bool,
        save: Callable[[str, Any], object],
    ) -> None:
        words = tr("Models see this at the start of a chat. Change it in Settings, Memories.")
        if not is_on:
            words = tr("Memories are off in Settings. This one is saved, but models don’t see it.")
        super().__init__(theme, tr(REMEMBER_SELECTION), words, parent)
        self.save = save
        self.setObjectName("remember_dialog")
        self.words.setProperty("kind", "muted")
        self._costs, self._project = costs, project
        self._counting: tasks.BackgroundTask | None = None
        self.field = QPlainTextEdit(text[:MOST_CHARACTERS])
        self.field.setAccessibleName(tr("Memory to save"))
        self.field.setTabChangesFocus(True)
        self.field.setFixedHeight(theme.px(84))
        self.field.setFont(theme.font("body"))
        self.cost = plain_label(" ", kind="muted", wraps=True)
        self.cost.setFont(theme.font("small"))
        # Two lines are reserved, since the words that come may wrap and nothing should move.
        self.cost.setMinimumHeight(2 * self.cost.fontMetrics().lineSpacing())
        self.fields.setDirection(QHBoxLayout.Direction.TopToBottom)
        self.fields.addWidget(self.field)
        self._scope = EVERYWHERE
        if project is not None:
            choices = [(EVERYWHERE, tr("In every chat")), (HERE, tr(IN_THIS_PROJECT))]
            self._scope = HERE
            self.scope = SegmentedControl(theme, tr("Used"), choices, HERE, self._on_scope)
            self.fields.addWidget(self.scope)
        self.fields.addWidget(self.cost)
        self.keep = self.add_choice(tr("Remember"), self._on_kept, "primary")
        # Counted when the typing rests, since each count asks the engine.
        self._delay = new_timer(self, TYPING_MS, self._count)
        self.field.textChanged.connect(self._on_typed)
        self.field.setFocus()
        self.field.selectAll()
        self._count()

    @property
    def text(self) -> str:
        """The entered text on one line, cut to the most characters of a memory."""
        return " ".join(clean_text(self.field.toPlainText()).split())[:MOST_CHARACTERS]

    def _on_scope(self, scope: str) -> None:
        self._scope = scope

    def _on_typed(self) -> None:
        self.keep.setEnabled(bool(self.text))
        self._delay.start()

    def _on_kept(self) -> None:
        is_here = self._scope == HERE and self._project is not None
        self.save(self.text, self._project.id if is_here and self._project is not None else None)

    def _count(self) -> None:
        if self._counting is not None:
            self._counting.abandon()
        # As it will stand in the list of memories, whose dash is counted too.
        texts, tokens_of = [f"- {self.text}"], self._costs.tokens_of
        self._counting = tasks.ask(lambda _token: tokens_of(texts), self, self._on_counted, self._on_failed)

    def _on_counted(self, counted: tuple[list[int], bool]) -> None:
        self._counting = None
        counts, is_exact = counted
        exact = tr_count(
            "Uses {count} token of each chat. The next answer rereads its chat.",
            "Uses {count} tokens of each chat. The next answer rereads its chat.",
            counts[0],
        )
        self.cost.setText(exact if is_exact else tr_count(MEMORIES_TOKEN, MEMORIES_TOKENS, counts[0]))

    def _on_failed(self, error: BaseException) -> None:
        self._counting = None
        # Nobody asked for the count, so an expected error shows no notice.
        expected_error(error)
