"""Popups of the transcript: details of one answer, and a map of all versions to choose from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.core.events import AnswerStats, FinishReason, Role
from app.features.chat.branches import MessageBranch
from app.features.error_messages import model_words
from app.features.survey.wanted import made_of
from app.store.message_rows import StoredMessage
from app.ui.chat.answer_view import time_text
from app.ui.i18n import tr, tr_count
from app.ui.icons import icon
from app.ui.locale_formats import format_moment, format_number, format_speed, join_list
from app.ui.shared_labels import ABOUT_THIS_ANSWER, ONE_TOKEN, PROMPT_LABEL, TOKEN_COUNT, TOKENS_PER_SECOND
from app.ui.text.copied_text import spoken_text
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.popovers import FloatingPanel

THOUGHT_FOR = "Thought for"
BY_ITSELF = "normally"
WRITTEN_BY = "Written by"
OF_THAT = "Of these"
ENDED = "Ended"
TOKENS_REUSED = "re-used {kept}, read {count}"
WRITTEN = "Written"
THINKING_TOKENS = "{count} of thinking"
FIRST_TOKEN_AFTER = "First token after"
SPEED = "Speed"
TOTAL_TIME = "Total"
GUESSED = "Guessed tokens"
GUESSES_KEPT = "{kept} of {count} kept"
GUESSES_ENDED = "{kept} of {count} kept; off, as it gained nothing"
AT_LENGTH_LIMIT = "at its length limit"
VERSION = "Version"

WIDTH_PX = 340
Row = tuple[str, str]


class AnswerDetails(FloatingPanel):
    """Popup with an answer's details; Escape, Return or a click outside closes it."""

    def __init__(
        self, theme: Theme, message: StoredMessage, parent: QWidget, *, show_seen: Callable[[], object]
    ) -> None:
        super().__init__(theme, "answer_details", parent)
        self.show_seen = show_seen
        """The prompt of the answer should be shown."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        rows = rows_of(message)
        title = plain_label(tr(ABOUT_THIS_ANSWER))
        self.setAccessibleName(title.text())
        self.setAccessibleDescription("; ".join(f"{name}: {value}" for name, value in rows))
        self._grid = grid = QGridLayout(self)
        grid.addWidget(title, 0, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        for number, (name, value) in enumerate(rows, 1):
            label, told = plain_label(name, kind="muted"), plain_label(value, wraps=True)
            # Read aloud alone, a value would say nothing.
            told.setAccessibleName(f"{name}: {value}")
            told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            told.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(told, number, 1)
            theme.dress(label, told, font="small")
        self.seen = text_button(tr("What the model saw"), "link", self, on_click=self._on_seen)
        self.seen.setObjectName("what_the_model_saw")
        # An answer from whole documents had many prompts.
        self.seen.setVisible(made_of(message.sources) is None)
        grid.addWidget(self.seen, len(rows) + 1, 0, 1, 2, Qt.AlignmentFlag.AlignLeading)
        theme.dress(self.seen, font="control")
        theme.dress(title, font="section")
        theme.dress(grid, margins=(16, 14, 16, 16), spacing=7)
        theme.dress(self, width=WIDTH_PX)
        self.rows = rows

    @property
    def labels(self) -> list[QLabel]:
        return self.findChildren(QLabel)

    def show_at(self, widget: QWidget) -> None:
        self.ensurePolished()
        for label in self.labels:
            label.ensurePolished()
        # Labels get their font when polished; the grid caches the sizes that they had before.
        self._grid.invalidate()
        self.setFixedHeight(self._grid.totalHeightForWidth(self.width()))
        self.place_at(widget)
        self.show()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def _on_seen(self) -> None:
        self.close()
        self.show_seen()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.close()
        else:
            super().keyPressEvent(event)


def rows_of(message: StoredMessage) -> list[Row]:
    """Return labels and values: the model, the statistics, and the version number."""
    rows = [(tr(WRITTEN_BY), model_words(message.model) or tr("unknown, or edited by you"))]
    if message.stats is not None:
        rows += _rows_of_stats(message.stats)
    if message.thinking_s is not None:
        rows.append((tr(THOUGHT_FOR), time_text(message.thinking_s)))
    if len(message.versions) > 1 and message.id in message.versions:
        place, count = message.versions.index(message.id) + 1, len(message.versions)
        rows.append((tr(VERSION), tr("{place} of {count}", place=place, count=count)))
    rows.append((tr("Started"), format_moment(message.created_at)))
    return rows


def _rows_of_stats(stats: AnswerStats) -> list[Row]:
    read = max(0, stats.prompt_tokens - stats.reused_tokens)
    rows = [
        (tr(PROMPT_LABEL), tr_count(ONE_TOKEN, TOKEN_COUNT, stats.prompt_tokens)),
        (tr(OF_THAT), tr(TOKENS_REUSED, kept=format_number(stats.reused_tokens), count=format_number(read))),
        (tr(WRITTEN), tr_count(ONE_TOKEN, TOKEN_COUNT, stats.generated_tokens)),
    ]
    if stats.media_tokens:
        told = tr_count("{count} token, cached", "{count} tokens, cached", stats.media_tokens)
        if stats.encoded_media:
            told = tr_count(
                "{count} token, newly processed: {new}",
                "{count} tokens, newly processed: {new}",
                stats.media_tokens,
                new=stats.encoded_media,
            )
        rows.insert(2, (tr("For pictures"), told))
    if stats.thinking_tokens:
        rows.append((tr(OF_THAT), tr(THINKING_TOKENS, count=format_number(stats.thinking_tokens))))
    rows.append((tr(FIRST_TOKEN_AFTER), time_text(stats.time_to_first_token_s)))
    if stats.tokens_per_s > 0:
        speed = format_speed(stats.tokens_per_s)
        rows.append((tr(SPEED), tr(TOKENS_PER_SECOND, speed=speed)))
        rows.append((tr(TOTAL_TIME), time_text(stats.total_s)))
    if stats.drafted_tokens:
        text = GUESSES_ENDED if stats.drafts_ended else GUESSES_KEPT
        counts = {"kept": format_number(stats.kept_tokens), "count": format_number(stats.drafted_tokens)}
        rows.append((tr(GUESSED), tr(text, **counts)))
    ends = {
        FinishReason.STOP: tr(BY_ITSELF),
        FinishReason.LENGTH: tr(AT_LENGTH_LIMIT),
        FinishReason.CONTEXT: tr("when the context was full"),
        FinishReason.CANCELLED: tr("when it was stopped"),
        FinishReason.REPEATED: tr("when it repeated itself"),
    }
    if stats.finish_reason in ends:
        rows.append((tr(ENDED), ends[stats.finish_reason]))
    return rows


MAP_WIDTH_PX, MOST_HEIGHT_PX = 460, 340
ROW_PX = 30
INDENT_PX = 18
ID_ROLE = Qt.ItemDataRole.UserRole


class BranchTree(QTreeWidget):
    """Tree whose indentation alone shows the hierarchy."""

    def drawBranches(self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
        """Draw no branches: nothing can be folded."""


class BranchMap(FloatingPanel):
    """Popup with the versions of a chat; arrows move, Return or a click chooses, Escape closes it."""

    def __init__(
        self,
        theme: Theme,
        branches: Sequence[MessageBranch],
        at: int,
        parent: QWidget,
        *,
        choose: Callable[[int], object],
    ) -> None:
        """Show the branches; `at` is the version selected at first."""
        super().__init__(theme, "branch_map", parent)
        self.choose = choose
        """Gets the id of the message to show when a branch was chosen."""
        self.setAccessibleName(tr("Versions of this chat"))
        title = plain_label(tr("Versions of this chat"))
        hint = plain_label(tr("Choose a version to open it. All versions are kept."), kind="muted", wraps=True)
        self.tree = BranchTree(self)
        self._set_up(self.tree)
        self._add(branches, at)
        self.tree.itemClicked.connect(self._choose)
        self.tree.itemActivated.connect(self._choose)
        column = fill_layout(QVBoxLayout(self), title, hint, self.tree)
        theme.dress(title, font="section")
        theme.dress(hint, self.tree, font="small")
        theme.dress(column, margins=(14, 12, 10, 10), spacing=6)
        theme.dress(self, width=MAP_WIDTH_PX)
        px = theme.px
        self.tree.setFixedHeight(min(px(MOST_HEIGHT_PX), len(branches) * px(ROW_PX) + px(4)))
        self.adjustSize()
        self.setFocusProxy(self.tree)

    def show_at(self, widget: QWidget) -> None:
        self.adjustSize()
        self.place_at(widget)
        self.show()
        self.tree.setFocus(Qt.FocusReason.PopupFocusReason)

    def _set_up(self, tree: QTreeWidget) -> None:
        tree.setObjectName("branch_tree")
        tree.setAccessibleName(tr("Versions"))
        tree.setFrameShape(QFrame.Shape.NoFrame)
        tree.setProperty("elides", True)
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setItemsExpandable(False)
        tree.setUniformRowHeights(True)
        tree.setIndentation(self._theme.px(INDENT_PX))
        tree.setIconSize(QSize(self._theme.px(15), self._theme.px(15)))
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        tree.viewport().setCursor(Qt.CursorShape.PointingHandCursor)

    def _add(self, branches: Sequence[MessageBranch], at: int) -> None:
        above: list[QTreeWidgetItem] = []
        for branch in branches:
            # The last branch at each depth is the parent of the next deeper one.
            del above[branch.depth :]
            words = words_of(branch)
            # Names and words in their own direction.
            shown = f"\u2068{words}\u2069" if self.isRightToLeft() else words
            item = QTreeWidgetItem(above[-1] if above else self.tree.invisibleRootItem(), [shown])
            above.append(item)
            item.setData(0, ID_ROLE, branch.message_id)
            item.setToolTip(0, plain_tip(branch.words))
            said = [tr("Version {place} of {count}", place=branch.place, count=branch.count), words]
            said += [tr("shown now")] if branch.is_shown else []
            item.setData(0, Qt.ItemDataRole.AccessibleTextRole, join_list(said))
            item.setSizeHint(0, QSize(0, self._theme.px(ROW_PX)))
            # Other rows keep the room of the tick.
            item.setIcon(0, icon("check", self._theme.tokens.accent if branch.is_shown else "#00000000", 15))
            if branch.is_shown:
                font = QFont(self._theme.font("group"))
                item.setFont(0, font)
            if branch.message_id == at:
                self.tree.setCurrentItem(item)
        self.tree.expandAll()
        if (current := self.tree.currentItem()) is not None:
            self.tree.scrollToItem(current)

    def _choose(self, item: QTreeWidgetItem) -> None:
        self.close()
        self.choose(int(item.data(0, ID_ROLE)))


def words_of(branch: MessageBranch) -> str:
    """Return a branch's first words, their speaker, and the number of messages that follow."""
    who = tr("You") if branch.role is Role.USER else model_words(branch.model) or tr("Answer")
    words = branch.words if branch.role is Role.USER else spoken_text(branch.words)
    begins = f"{who}: {words or tr('(nothing)')}"
    if branch.following == 1:
        return f"{begins}  · {tr('1 more')}"
    return f"{begins}  · {tr('{count} more', count=branch.following)}" if branch.following else begins
