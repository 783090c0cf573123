"""Panes of a typed text on one card: source at the leading side, translation at the other."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QResizeEvent, QTextOption
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QStackedWidget, QTextEdit, QVBoxLayout, QWidget

from app.ui.i18n import tr, tr_count
from app.ui.screen_reader import read_as
from app.ui.shared_labels import CHARACTER_COUNT, ONE_CHARACTER, READ_ALOUD
from app.ui.theme import Theme
from app.ui.translate.alternatives_card import AlternativesCard
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.source_edit import SourceEdit, follow_each_paragraph
from app.ui.translate.target_view import TargetView
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.labels import ElidedLabel, plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout, name_widgets, scrolled

CLEAR_TEXT = "Clear the text"
TRANSLATE_BACK = "Translate back, to compare"
COPY_TRANSLATION = "Copy the translation"

NARROW_PX = 460
"""Card width below which the panes are stacked."""
BACK_PX, LEAST_BACK_PX = 130, 40
INSET_PX = 11


class TextPanes(QFrame):
    """Container of the panes; their actions are the page's."""

    def __init__(self, theme: Theme, needs: NeedsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self.needs = theme, needs
        self.setObjectName("text_panes")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.source, self.target = SourceEdit(theme), TargetView(theme)
        self.hint = plain_label(kind="muted", wraps=True)
        self.count = ElidedLabel()
        self.clear = IconButton(theme, "x", tr(CLEAR_TEXT), size_px=16)
        self.state = ElidedLabel()
        self.state.setObjectName("text_state")
        for label in (self.count, self.state):
            label.setProperty("kind", "muted")
        self.back = IconButton(theme, "arrow-u-down-left", tr(TRANSLATE_BACK), size_px=18)
        self.back.setCheckable(True)
        read_as(self.back, QAccessible.Role.Button, folds=True)
        self.copy = IconButton(theme, "copy", tr(COPY_TRANSLATION), size_px=18)
        self.aloud = IconButton(theme, "speaker-high", tr(READ_ALOUD), size_px=18)
        self.aloud.hide()
        self.can_be_read = False
        """Set where there is something that reads the translation aloud."""
        self.back_text = QTextEdit()
        self.back_text.setReadOnly(True)
        self.back_text.setObjectName("back_text")
        self.back_text.setProperty("kind", "bare")
        self.back_text.setFrameShape(QFrame.Shape.NoFrame)
        self.back_text.setAccessibleName(tr("Translated back"))
        self.back_text.setTabChangesFocus(True)
        self.back_text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        follow_each_paragraph(self.back_text)
        self._lay_out()
        self.alternatives = AlternativesCard(theme, self.right)
        self.show_back(shown=False)
        name_widgets(text_hint=self.hint, text_count=self.count, translate_back=self.back)
        name_widgets(read_translation=self.aloud, copy_translation=self.copy)

    def show_needs(self, *, needed: bool) -> None:
        """Show the model offer in place of the translation."""
        self._stack.setCurrentWidget(self._needs_page if needed else self._answer)
        for button in (self.back, self.copy):
            button.setEnabled(not needed)
            button.setVisible(not needed)  # a small window has no room for both
        self.aloud.setVisible(self.can_be_read and not needed)

    def show_back(self, *, shown: bool) -> None:
        self._back_part.setVisible(shown)

    def show_count(self) -> None:
        count = len(self.source.text)
        words = tr_count(ONE_CHARACTER, CHARACTER_COUNT, count)
        self.count.setText(words if count else "")
        self.clear.setVisible(bool(count))

    def show_state(self, text: str) -> None:
        self.state.setText(text)
        self.state.setAccessibleName(text)

    def say_back(self, text: str) -> None:
        self.back_text.setPlainText(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < self._theme.px(NARROW_PX)
        wanted = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if self._sides.direction() != wanted:
            self._sides.setDirection(wanted)
        self._rule.setMinimumSize(*((0, 1) if is_narrow else (1, 0)))
        # QWIDGETSIZE_MAX, Qt's value for no limit.
        self._rule.setMaximumSize(*((16_777_215, 1) if is_narrow else (1, 16_777_215)))

    def _lay_out(self) -> None:
        self.left, self.right = QWidget(), QWidget()
        left_foot, right_foot = QHBoxLayout(), QHBoxLayout()
        left_foot.addWidget(self.count, 1)
        left_foot.addWidget(self.clear)
        left = fill_layout(QVBoxLayout(self.left), (self.source, 1), left_foot)
        self._back_part = self._new_back_part()
        self._answer, needs_page = QWidget(), QWidget()
        needs_page.setObjectName("page")
        fill_layout(drop_margins(QVBoxLayout(self._answer)), (self.target, 1), self._back_part)
        needs = fill_layout(QVBoxLayout(needs_page), self.needs, self.hint, 1)
        self._needs_page = scrolled(needs_page)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._answer)
        self._stack.addWidget(self._needs_page)
        right_foot.addWidget(self.state, 1)
        right_foot.addWidget(self.back)
        right_foot.addWidget(self.aloud)
        right_foot.addWidget(self.copy)
        right = fill_layout(QVBoxLayout(self.right), (self._stack, 1), right_foot)
        self._rule = QFrame()
        self._rule.setObjectName("panes_rule")
        self._rule.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._sides.setContentsMargins(1, 1, 1, 1)
        self._sides.setSpacing(0)
        self._sides.addWidget(self.left, 1)
        self._sides.addWidget(self._rule)
        self._sides.addWidget(self.right, 1)
        dress = self._theme.dress
        dress(left, right, margins=(INSET_PX, 12, INSET_PX, 8), spacing=6)
        dress(needs, margins=(0, 4, 0, 0), spacing=14)
        dress(self.hint, font="row")
        dress(self.count, self.state, font="small", margins=(4, 0, 0, 0))
        dress(self.source, self.target, self.back_text, least_height=LEAST_BACK_PX)

    def _new_back_part(self) -> QWidget:
        part, rule, head = QWidget(), QFrame(), QLabel(tr("Translated back"))
        rule.setProperty("kind", "rule")
        head.setProperty("kind", "muted")
        column = QVBoxLayout(part)
        for widget in (rule, head, self.back_text):
            column.addWidget(widget)
        self._theme.dress(column, margins=(0, 0, 0, 0), spacing=6)
        self._theme.dress(head, font="caption", margins=(4, 0, 0, 0))
        self._theme.dress(self.back_text, text=("body", 4), most_height=BACK_PX)
        return part
