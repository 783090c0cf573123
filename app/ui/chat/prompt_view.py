"""The exact prompt that a model was given: its parts in order, with tokens and texts."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QTextOption
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.core.events import CancelToken
from app.features.chat import prompt_inspector
from app.features.chat.prompt_inspector import SeenPart, SeenPrompt
from app.ui.i18n import sentence_for, tr, tr_count
from app.ui.locale_formats import format_number, join_facts
from app.ui.shared_labels import (
    ANSWER_LINE,
    COUNTING,
    DOCUMENTS_LABEL,
    INSTRUCTIONS_FROM_BEFORE,
    MEMORIES_LABEL,
    ONE_TOKEN,
    PART_TOKEN,
    PART_TOKENS,
    SYSTEM_PROMPT,
    THIS_MESSAGE,
    TOKEN_COUNT,
    YOU_LINE,
)
from app.ui.shell import tasks
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import within_screen

PROMPT_CHANGED_SINCE = "The model, instructions or something else changed since. This is now {count} tokens."

FROM_TEMPLATE = "From the template"
COPY_ALL = "Copy all"

SIZE_PX, LIST_PX, ROW_PX = (820, 560), 300, 30
WORDS_CHARACTERS = 80

Look = Callable[[CancelToken], SeenPrompt | None]
"""Lists the parts on a thread; returns None without a model that can count."""


class SeenDialog(Dialog):
    """Dialog with the parts of a prompt, empty until the model's tokenizer has counted them."""

    def __init__(self, theme: Theme, look: Look, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._seen: SeenPrompt | None = None
        self.setObjectName("seen_dialog")
        self.name_by_heading(title)
        # Each opening makes another dialog, so this one must not stay.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(within_screen(self, QSize(*map(theme.px, SIZE_PX))))
        head = plain_label(title)
        self.sum = plain_label(tr(COUNTING), kind="muted", wraps=True)
        self.parts = self._new_parts()
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName(tr("Text of the part"))
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        # The text is only read: Tab goes on to the buttons.
        self.text.setTabChangesFocus(True)
        self._copy = text_button(tr(COPY_ALL), on_click=self._on_copy)
        self._copy.setEnabled(False)
        close = text_button(tr("Close"), on_click=self.accept)
        close.setDefault(True)
        panes, foot, column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        panes.addWidget(self.parts)
        panes.addWidget(self.text, 1)
        foot.addStretch(1)
        foot.addWidget(self._copy)
        foot.addWidget(close)
        column.addWidget(head)
        column.addWidget(self.sum)
        column.addLayout(panes, 1)
        column.addLayout(foot)
        theme.dress(head, font="section")
        theme.dress(self.sum, self.parts, self.text, font="small")
        theme.dress(column, margins=(22, 18, 22, 18), spacing=10)
        theme.dress(panes, spacing=12)
        theme.dress(foot, spacing=8)
        tasks.ask(look, self, self._on_seen, self._on_failed)

    def _new_parts(self) -> QTreeWidget:
        parts = QTreeWidget()
        parts.setObjectName("seen_parts")
        parts.setAccessibleName(tr("Parts of the prompt"))
        parts.setColumnCount(2)
        parts.setHeaderHidden(True)
        parts.setFrameShape(QFrame.Shape.NoFrame)
        parts.setProperty("elides", True)
        parts.setRootIsDecorated(False)
        parts.setUniformRowHeights(True)
        parts.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        parts.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        parts.header().setStretchLastSection(False)
        parts.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        parts.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        # In a narrow window the text keeps the larger part.
        parts.setFixedWidth(min(self._theme.px(LIST_PX), self.width() * 2 // 5))
        parts.currentItemChanged.connect(lambda item: self._show(parts.indexOfTopLevelItem(item)))
        return parts

    def _on_seen(self, found: SeenPrompt | None) -> None:
        if found is None:
            self.sum.setText(tr("The model is asleep. Exact counts appear with your next message."))
            return
        self._seen = found
        self.sum.setText(sum_words(found))
        for part in found.parts:
            words, count = words_of(part), format_number(part.tokens)
            item = QTreeWidgetItem([words, count])
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
            item.setData(
                0, Qt.ItemDataRole.AccessibleTextRole, tr_count(PART_TOKEN, PART_TOKENS, part.tokens, part=words)
            )
            item.setToolTip(0, plain_tip(words))
            item.setSizeHint(0, QSize(0, self._theme.px(ROW_PX)))
            self.parts.addTopLevelItem(item)
        self._copy.setEnabled(bool(found.text))
        if (first := self.parts.topLevelItem(0)) is not None:
            self.parts.setCurrentItem(first)
        self.parts.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_failed(self, error: BaseException) -> None:
        self.sum.setText(str(sentence_for(error)))

    def _show(self, place: int) -> None:
        if self._seen is not None and 0 <= place < len(self._seen.parts):
            part = self._seen.parts[place]
            nothing = tr("Markers that the model’s template adds between messages.")
            self.text.setPlainText(part.text or nothing)

    def _on_copy(self) -> None:
        if self._seen is not None:
            QGuiApplication.clipboard().setText(self._seen.text)


def words_of(part: SeenPart) -> str:
    """Return the name of a part in one line."""
    names = {
        prompt_inspector.SYSTEM: tr(SYSTEM_PROMPT),
        prompt_inspector.INSTRUCTIONS: tr("Project instructions"),
        prompt_inspector.ATTACHED: tr(DOCUMENTS_LABEL),
        prompt_inspector.DOCUMENTS: tr("Project documents"),
        prompt_inspector.MEMORIES: tr(MEMORIES_LABEL),
        prompt_inspector.CARRIED: tr(INSTRUCTIONS_FROM_BEFORE),
        prompt_inspector.RECALLED: tr("Recalled turns"),
        prompt_inspector.MESSAGE: tr(THIS_MESSAGE),
        prompt_inspector.TEMPLATE: tr(FROM_TEMPLATE),
    }
    if part.kind in names:
        return names[part.kind]
    # A message may have millions of characters, of which the list shows a line.
    begins = " ".join(part.text[: 4 * WORDS_CHARACTERS].split())[:WORDS_CHARACTERS]
    if part.kind == prompt_inspector.PINNED:
        return tr("Pinned: {words}", words=begins)
    return tr(YOU_LINE, words=begins) if part.kind == prompt_inspector.QUESTION else tr(ANSWER_LINE, words=begins)


def sum_words(found: SeenPrompt) -> str:
    """Return the total of tokens, the messages left out, and any limits of the count."""
    said = [tr_count(ONE_TOKEN, TOKEN_COUNT, found.told_tokens or found.tokens)]
    if found.hidden:
        hidden = tr_count("1 earlier message wasn’t shown", "{count} earlier messages weren’t shown", found.hidden)
        said.append(hidden)
    words = join_facts(said)
    if found.is_exact:
        return words
    changed = tr_count(
        "The model, instructions or something else changed since. This is now {count} token.",
        PROMPT_CHANGED_SINCE,
        found.tokens,
    )
    return f"{words}\n{changed}"
