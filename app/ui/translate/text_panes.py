"""The two panes of a typed text on one card: the source at the side where reading begins, its translation beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent, QTextOption
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.text_alternatives import AlternativesCard
from app.ui.translate.text_source import SourceEdit, follow_each_paragraph
from app.ui.translate.text_target import TargetView
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.elided_label import ElidedLabel
from app.ui.widgets.names import name_widgets

NARROW_PX = 460
"""Of the card: below it the panes stand under each other."""
BACK_PX, LEAST_BACK_PX = 130, 40
INSET_PX = 16


class TextPanes(QFrame):
    """Holds the parts; what they do is the page's business."""

    cleared = Signal()
    copied = Signal()
    back_switched = Signal(bool)

    def __init__(self, theme: Theme, needs: NeedsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.needs = needs
        self.setObjectName("text_panes")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.source, self.target = SourceEdit(theme), TargetView(theme)
        self.hint = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.hint.setProperty("kind", "muted")
        self.count = ElidedLabel()
        self.clear = IconButton(theme, "x", tr("Clear the text"), size_px=16)
        self.clear.clicked.connect(self.cleared)
        self.state = ElidedLabel()
        self.state.setObjectName("text_state")
        for label in (self.count, self.state):
            label.setProperty("kind", "muted")
        self.back = IconButton(theme, "arrow-u-down-left", tr("Translate back, to compare"), size_px=18)
        self.back.setCheckable(True)
        self.back.toggled.connect(self.back_switched)
        self.copy = IconButton(theme, "copy", tr("Copy the translation"), size_px=18)
        self.copy.clicked.connect(self.copied)
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
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_back(shown=False)
        name_widgets(text_hint=self.hint, text_count=self.count, translate_back=self.back, copy_translation=self.copy)

    def show_needs(self, *, needed: bool) -> None:
        """The card of the model in place of the translation."""
        self._stack.setCurrentWidget(self._needs_page if needed else self._answer)
        for button in (self.back, self.copy):
            button.setEnabled(not needed)
            button.setVisible(not needed)  # a small window has no room to spare

    @property
    def are_needs_shown(self) -> bool:
        """Whether a model is missing."""
        return self._stack.currentWidget() is self._needs_page

    def show_back(self, *, shown: bool) -> None:
        """The translation back, below the translation."""
        self._back_part.setVisible(shown)
        self._on_theme_changed()

    def say_back(self, text: str) -> None:
        """What there is of it."""
        self.back_text.setPlainText(text)

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < self._theme.px(NARROW_PX)
        wanted = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if self._sides.direction() != wanted:
            self._sides.setDirection(wanted)
        self._rule.setFixedSize(*((16_777_215, 1) if is_narrow else (1, 16_777_215)))
        self._rule.setMinimumSize(*((0, 1) if is_narrow else (1, 0)))
        self._rule.setMaximumSize(*((16_777_215, 1) if is_narrow else (1, 16_777_215)))

    def _lay_out(self) -> None:
        self.left, self.right = QWidget(), QWidget()
        self._left_foot, self._right_foot = QHBoxLayout(), QHBoxLayout()
        self._left_foot.addWidget(self.count, 1)
        self._left_foot.addWidget(self.clear)
        self._left = QVBoxLayout(self.left)
        self._left.addWidget(self.source, 1)
        self._left.addLayout(self._left_foot)
        self._back_part = QWidget()
        self._back_rule, self._back_head = QFrame(), QLabel(tr("Translated back"))
        self._back_rule.setProperty("kind", "rule")
        self._back_head.setProperty("kind", "muted")
        self._back_column = QVBoxLayout(self._back_part)
        self._back_column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._back_rule, self._back_head, self.back_text):
            self._back_column.addWidget(widget)
        self._answer, needs_page = QWidget(), QWidget()
        needs_page.setObjectName("page")
        answer = QVBoxLayout(self._answer)
        answer.setContentsMargins(0, 0, 0, 0)
        answer.addWidget(self.target, 1)
        answer.addWidget(self._back_part)
        self._needs_column = QVBoxLayout(needs_page)
        self._needs_column.addWidget(self.needs)
        self._needs_column.addWidget(self.hint)
        self._needs_column.addStretch(1)
        self._needs_page = QScrollArea(widgetResizable=True)
        self._needs_page.setFrameShape(QFrame.Shape.NoFrame)
        self._needs_page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._needs_page.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._needs_page.viewport().setAutoFillBackground(False)
        self._needs_page.setWidget(needs_page)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._answer)
        self._stack.addWidget(self._needs_page)
        self._right_foot.addWidget(self.state, 1)
        self._right_foot.addWidget(self.back)
        self._right_foot.addWidget(self.copy)
        self._right = QVBoxLayout(self.right)
        self._right.addWidget(self._stack, 1)
        self._right.addLayout(self._right_foot)
        self._rule = QFrame()
        self._rule.setObjectName("panes_rule")
        self._rule.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._sides.setContentsMargins(1, 1, 1, 1)
        self._sides.setSpacing(0)
        self._sides.addWidget(self.left, 1)
        self._sides.addWidget(self._rule)
        self._sides.addWidget(self.right, 1)

    def _on_theme_changed(self) -> None:
        px, theme = self._theme.px, self._theme
        for column in (self._left, self._right):
            column.setContentsMargins(px(INSET_PX), px(12), px(INSET_PX), px(8))
            column.setSpacing(px(6))
        self._needs_column.setContentsMargins(0, px(4), 0, 0)
        self._back_column.setSpacing(px(6))
        self._needs_column.setSpacing(px(14))
        self.hint.setFont(theme.font(14))
        for label in (self.count, self.state):
            label.setFont(theme.font(12.5))
            label.setContentsMargins(px(4), 0, 0, 0)
        self._back_head.setFont(theme.font(12, 600))
        self._back_head.setContentsMargins(px(4), 0, 0, 0)
        self.back_text.setFont(theme.font(14))
        self.back_text.document().setDefaultFont(theme.font(14))
        self.back_text.document().setDocumentMargin(px(4))
        self.back_text.setMinimumHeight(px(LEAST_BACK_PX))
        self.back_text.setMaximumHeight(px(BACK_PX))
        self.target.setMinimumHeight(px(LEAST_BACK_PX))
        self.source.setMinimumHeight(px(LEAST_BACK_PX))
