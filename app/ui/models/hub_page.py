"""Hub search: filters, results, and a repository opened in their place."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QSizePolicy,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.core import errors
from app.hub.hub_search import PAGE_ROWS, FoundRepository, HubQuery, SearchResultPage
from app.hub.model_files import ModelFile, Repository
from app.ui.i18n import sentence_for, tr
from app.ui.icons import icon
from app.ui.model_texts import LICENSES, found_words
from app.ui.models.models_page import Choice, StateView
from app.ui.models.repository import RepositoryPage
from app.ui.shared_labels import CANCEL, NETWORK_SETTINGS, PICTURES, TRY_AGAIN
from app.ui.shell import tasks
from app.ui.shell.notify import describe
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import EDGE_PX, PAGE_PX, TOP_PX, Theme
from app.ui.widgets.buttons import ChoiceButton, set_mark, text_button
from app.ui.widgets.layouts import name_widgets

if TYPE_CHECKING:
    from app.bootstrap import Fireside

FIND_ON_HUB = "Find a model on the Hub"

SHOW_MOST_DOWNLOADED = "Show the most downloaded"
MODELS_FOUND = "Models for “{words}”"
NOTHING_FOUND_FOR = "No results for “{words}”"
SEARCH_WITHOUT_FILTERS = "Search without filters"
SHOW_MORE = "Show more"
ALL_RESULTS_SHOWN = "Showing all {n}."
NETWORK_SWITCHED_OFF = "The network is off"
SWITCH_NETWORK_ON = "Turn on the network"
SEARCH_AGAIN = "Search again"
SEARCH_STOPPED = "Search stopped."
NOTHING_FOUND = "No results"
ASKS_FOR_CONSENT = "Consent required"
ONLY_RESULT = "Only one model found."
SEARCHING = "Searching…"
SEARCHING_HUB = "Searching the Hub…"


log = logging.getLogger(__name__)

TYPING_MS = 300
SLOW_MS, VERY_SLOW_MS = 300, 2000


class SearchPage(QWidget):
    """Page of the search. `show_query` searches while typing; a new search cancels the one before."""

    download_wanted = Signal(object, object, bool)
    """A download to queue: `Repository`, `ModelFile`, and whether to include the vision file."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        theme = ui.theme
        self._app, self._theme, self._notify, self._go = app, theme, ui.notify, ui.go
        self.text = ""
        self._wants_all = False
        self._limit = PAGE_ROWS
        self._task: tasks.BackgroundTask | None = None
        self._typed = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typed.timeout.connect(self.search_now)
        self._slow = QTimer(self, singleShot=True, interval=SLOW_MS)
        self._slow.timeout.connect(self._say_searching)
        self._very_slow = QTimer(self, singleShot=True, interval=VERY_SLOW_MS - SLOW_MS)
        self._very_slow.timeout.connect(self._offer_cancel)
        self.title = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.told = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.told.setProperty("kind", "muted")
        self.cancel = text_button(tr(CANCEL), "link")
        self.cancel.clicked.connect(self._cancel)
        self.filters = Filters(theme)
        self.filters.changed.connect(self._on_filters)
        self.list = ResultList(theme)
        self.list.opened.connect(self.open_repository)
        self.state = StateView(theme)
        self.more = text_button(tr(SHOW_MORE))
        self.more.clicked.connect(self._on_more)
        self.more_told = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.more_told.setProperty("kind", "muted")
        self.repository = RepositoryPage(app, ui)
        self.repository.download_wanted.connect(self._download)
        self.repository.back_wanted.connect(self._back)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._results_page())
        self._stack.addWidget(self.repository)
        theme.dress(self.title, font=(21, 600))
        theme.dress(self.told, font=(14, 400))
        theme.dress(self.cancel, self.more, font=(13.5, 500))
        theme.dress(self.more_told, font=(13, 400))
        theme.dress(self._holder, most_width=PAGE_PX)
        theme.dress(self._around, margins=(EDGE_PX, TOP_PX, EDGE_PX, 12), spacing=0)
        theme.dress(self._column, margins=(0, 0, 0, 0), spacing=10)
        theme.dress(self._foot_row, margins=(0, 2, 2, 0))
        self.cancel.hide()
        self._show_empty()
        name_widgets(
            search_title=self.title,
            search_told=self.told,
            stop_search=self.cancel,
            show_more=self.more,
            more_told=self.more_told,
        )

    @property
    def is_waiting(self) -> bool:
        """True while a search is due or running."""
        return self._typed.isActive() or self._task is not None

    def show_query(self, text: str) -> None:
        """Search for a text after a pause in typing."""
        text = " ".join(text.split())
        self._stack.setCurrentIndex(0)
        if text == self.text and not self._typed.isActive():
            return
        self.text, self._wants_all = text, False
        self._typed.start()
        # A cleared field needs no pause: there is nothing to ask.
        if not text:
            self.search_now()

    def search_now(self) -> None:
        self._typed.stop()
        self._limit = PAGE_ROWS
        if self.text or self._wants_all:
            self._ask()
        else:
            self._forget_task()
            self._show_empty()

    def open_repository(self, name: str) -> None:
        self._stack.setCurrentIndex(1)
        self.repository.show_repository(name)
        self.repository.setFocus()

    def _back(self) -> None:
        self._stack.setCurrentIndex(0)
        self.list.setFocus()

    def _download(self, repository: Repository, model: ModelFile, with_vision: bool) -> None:
        # On a thread, since an equal file is first looked for on this computer.
        tasks.ask(
            lambda _token: self._app.models.download(repository, model, with_vision),
            self,
            lambda _download: self.download_wanted.emit(repository, model, with_vision),
            self._notify.error,
        )

    # Requests.

    def _ask(self) -> None:
        self._forget_task()
        if not self._app.settings.network.reaches_internet:
            self._show_off()
            return
        query = self.filters.query(self.text, self._limit)
        self._task = tasks.ask(
            lambda token: self._app.models.hub.search(query, token),
            self,
            lambda page: self._on_page(query, page),
            self._on_failed,
        )
        self._slow.start()

    def _forget_task(self) -> None:
        if self._task is not None and not self._task.done:
            self._task.abandon()
        self._task = None
        self._slow.stop()
        self._very_slow.stop()
        self.cancel.hide()

    def _on_page(self, query: HubQuery, page: SearchResultPage) -> None:
        # Before its thread has ended, or the page would still count as searching.
        self._forget_task()
        if not page.found:
            self._show_nothing()
            return
        self.list.show_found(page.found)
        self._set_visible(is_list=True)
        count = len(page.found)
        self.title.setText(tr(MODELS_FOUND, words=query.text) if query.text else tr("Models on the Hub"))
        self.told.setText(tr("Nothing is downloaded until you press Download."))
        self.more.setText(tr(SHOW_MORE))
        self.more.setEnabled(True)
        self.more.setVisible(page.has_more)
        shown = tr("Showing the first {n}.", n=count) if page.has_more else tr(ALL_RESULTS_SHOWN, n=count)
        self.more_told.setText(tr(ONLY_RESULT) if count == 1 and not page.has_more else shown)

    def _on_failed(self, error: BaseException) -> None:
        # If only more results failed to come, those that are there stay.
        is_more = self._limit > PAGE_ROWS and self.list.isVisibleTo(self)
        self._forget_task()
        if isinstance(error, errors.NetworkOff):
            self._show_off()
            return
        # What isn't about disk, memory or network is a defect of ours.
        if not isinstance(error, errors.EnvironmentProblem):
            log.error("defect: %s", describe(error))
        sentence = sentence_for(error)
        if is_more:
            self.more_told.setText(tr(sentence.text))
            self.more.setText(tr(TRY_AGAIN))
            self.more.setEnabled(True)
            return
        choices: list[Choice] = [(tr(TRY_AGAIN), "plain", self._ask)]
        settings = self._notify.actions.get("network")
        if sentence.action == "network" and settings is not None:
            choices.append((tr(NETWORK_SETTINGS), "quiet", settings))
        self._show_state("wifi-slash", tr(sentence.text), tr(sentence.kept) if sentence.kept else "", choices)

    def _on_more(self) -> None:
        # A retry repeats the same query.
        if len(self.list.results.found) >= self._limit:
            self._limit += PAGE_ROWS
        self.more.setEnabled(False)
        self._ask()

    def _on_filters(self) -> None:
        if self.text or self._wants_all:
            self.search_now()

    def _cancel(self) -> None:
        self._forget_task()
        # Results of the search before are still good; an empty page gets a way to start over.
        if self.list.results.found and self.list.isVisibleTo(self):
            self.told.setText(tr(SEARCH_STOPPED))
            self.more.setEnabled(True)
        else:
            self._show_state("", tr(SEARCH_STOPPED), "", [(tr(SEARCH_AGAIN), "plain", self._ask)])

    def _search_all(self) -> None:
        self._wants_all = True
        self.search_now()

    def _switch_on(self) -> None:
        try:
            self._app.change_settings("network", allowed=True, internet=True)
        except errors.AppError as error:
            self._notify.error(error)
        self._go.show_network()
        self.search_now()

    # Display.

    def _say_searching(self) -> None:
        # In sequence: after a standstill of the computer both timers would be due at once.
        self._very_slow.start()
        if self.list.isVisibleTo(self):
            self.told.setText(tr(SEARCHING))
        else:
            self._show_state("", tr(SEARCHING_HUB), "")

    def _offer_cancel(self) -> None:
        if self.list.isVisibleTo(self):
            self.cancel.show()
        else:
            self._show_state(
                "", tr(SEARCHING_HUB), tr("This is taking longer than usual."), [(tr(CANCEL), "plain", self._cancel)]
            )

    def _show_empty(self) -> None:
        is_on = self._app.settings.network.reaches_internet
        self._show_state(
            "magnifying-glass",
            tr(FIND_ON_HUB),
            tr("Type a name or task on the left, such as “qwen”, “gemma” or “translation”. Only models that run "
               "in Fireside are shown."),
            [(tr(SHOW_MOST_DOWNLOADED), "plain", self._search_all)] if is_on else [],
        )  # fmt: skip

    def _show_off(self) -> None:
        self._show_state(
            "wifi-slash",
            tr(NETWORK_SWITCHED_OFF),
            tr("Searching asks huggingface.co for names and sizes. Your chats aren’t sent."),
            [(tr(SWITCH_NETWORK_ON), "primary", self._switch_on)],
        )

    def _show_nothing(self) -> None:
        text = tr(NOTHING_FOUND_FOR, words=self.text) if self.text else tr(NOTHING_FOUND)
        if self.filters.is_narrow:
            self._show_state(
                "magnifying-glass", text, tr("The filters above hide some models."),
                [(tr(SEARCH_WITHOUT_FILTERS), "plain", self.filters.widen)],
            )  # fmt: skip
        else:
            self._show_state("magnifying-glass", text, tr("Try a shorter name."))

    def _show_state(self, glyph: str, title: str, text: str, choices: list[Choice] | None = None) -> None:
        # Emptied, so that neither keys nor screen readers meet results that can't be seen.
        self.list.show_found(())
        self.state.show_state(glyph, title, text, choices or [])
        self._set_visible(is_list=False)

    def _set_visible(self, *, is_list: bool) -> None:
        self.title.setVisible(is_list)
        self.told.setVisible(is_list)
        self._foot.setVisible(is_list)
        self.list.setVisible(is_list)
        self.state.setVisible(not is_list)

    def _results_page(self) -> QWidget:
        self._holder = QWidget()
        self._head = QHBoxLayout()
        self._head.addWidget(self.told, 1)
        self._head.addWidget(self.cancel)
        self._foot = QWidget()
        self._foot_row = QHBoxLayout(self._foot)
        self._foot_row.addWidget(self.more_told, 1)
        self._foot_row.addWidget(self.more)
        self._column = QVBoxLayout(self._holder)
        self._column.addWidget(self.filters)
        self._column.addWidget(self.title)
        self._column.addLayout(self._head)
        self._column.addWidget(self.list, 1)
        self._column.addWidget(self.state, 1)
        self._column.addWidget(self._foot)
        page = QWidget()
        self._around = QHBoxLayout(page)
        # Up to its greatest width the column takes everything; what is left goes to the end.
        self._around.addWidget(self._holder, 1000)
        self._around.addStretch(1)
        return page

    def showEvent(self, event: QShowEvent) -> None:
        # Shown by a stack, it has lost the fonts that were set before.
        self._theme.dress_again(self)
        super().showEvent(event)


# Results as painted cards in a list view, so that hundreds cost nothing.


FOUND_ROLE = Qt.ItemDataRole.UserRole + 1
ROW_PX, GAP_PX = 88, 10

Index = QModelIndex | QPersistentModelIndex


def marks_of(found: FoundRepository) -> list[tuple[str, str]]:
    """Return icons and labels of a repository's special features."""
    marks = []
    if found.vision:
        marks.append(("image", tr(PICTURES)))
    if found.gated:
        marks.append(("lock-simple", tr(ASKS_FOR_CONSENT)))
    return marks


class SearchResultModel(QAbstractListModel):
    """List model of results; more results of the same search are appended."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.found: tuple[FoundRepository, ...] = ()

    def show(self, found: Sequence[FoundRepository]) -> bool:
        """Show results; return True if they only extend those shown."""
        rows, known = tuple(found), len(self.found)
        if known and rows[:known] == self.found:
            # Inserted, not reset: the scroll position and the current row stay.
            if len(rows) > known:
                self.beginInsertRows(QModelIndex(), known, len(rows) - 1)
                self.found = rows
                self.endInsertRows()
            return True
        self.beginResetModel()
        self.found = rows
        self.endResetModel()
        return False

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        found = self.found[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return found.repo
        if role == Qt.ItemDataRole.AccessibleTextRole:
            # Painted words are unknown to screen readers, so all of them are told here.
            return ", ".join([found.repo, *(words for _, words in marks_of(found)), *found_words(found)])
        return found if role == FOUND_ROLE else None


class ResultDelegate(QStyledItemDelegate):
    """Paint a result as a card: name with labels, two muted lines, an arrow."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        return QSize(self._theme.px(200), self._theme.px(ROW_PX + GAP_PX))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, tokens, px = self._theme, self._theme.tokens, self._theme.px
        found: FoundRepository = index.data(FOUND_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRect(option.rect).adjusted(0, px(1), -px(2), -px(GAP_PX) + px(1))
        self._paint_card(painter, option, card)
        mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        caret = px(16)
        at = QRect(card.right() - px(18) - caret, card.center().y() - caret // 2, caret, caret)
        glyph = "caret-left" if mirrored else "caret-right"
        icon(glyph, tokens.muted, caret).paint(painter, QStyle.visualRect(option.direction, card, at))
        room = card.adjusted(px(19), px(13), -px(52), -px(13))
        # Mirrored piece by piece: text keeps its own direction, places don't.
        about, standing = found_words(found)
        lines = ((about, tokens.text, 13.5, px(24)), (standing, tokens.muted, 13, px(44)))
        self._paint_name(painter, option, QRect(room.x(), room.y(), room.width(), px(22)), card, found)
        for text, colour, size, y in lines:
            painter.setFont(theme.font(size))
            painter.setPen(QColor(colour))
            line = QRect(room.x(), room.y() + y, room.width(), px(20))
            self._paint_text(painter, option, QStyle.visualRect(option.direction, card, line), text)
        painter.restore()

    def _paint_card(self, painter: QPainter, option: QStyleOptionViewItem, card: QRect) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        state: QStyle.StateFlag = option.state
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setBrush(QColor(tokens.surface))
        edge = tokens.focus if focused else tokens.outline if hovered else tokens.line
        painter.setPen(QPen(QColor(edge), 2 if focused else 1))
        inset = 1.0 if focused else 0.5
        painter.drawRoundedRect(QRectF(card).adjusted(inset, inset, -inset, -inset), px(10), px(10))

    def _paint_name(
        self, painter: QPainter, option: QStyleOptionViewItem, room: QRect, card: QRect, found: FoundRepository
    ) -> None:
        """Paint the name and as many labels as fit."""
        theme, tokens, px = self._theme, self._theme.tokens, self._theme.px
        owner, _, name = found.repo.partition("/")
        name_font, owner_font, mark_font = theme.font(15.5, 600), theme.font(13), theme.font(12, 500)
        marks = [
            (glyph, words, QFontMetrics(mark_font).horizontalAdvance(words) + px(34))
            for glyph, words in marks_of(found)
        ]
        taken = sum(width + px(8) for *_, width in marks)
        wanted = QFontMetrics(name_font).horizontalAdvance(name) + 1
        width = min(wanted, max(room.width() - taken, px(120)))
        painter.setFont(name_font)
        painter.setPen(QColor(tokens.text))
        place = QRect(room.x(), room.y(), width, room.height())
        self._paint_text(painter, option, QStyle.visualRect(option.direction, card, place), name)
        x = place.right() + px(10)
        # Labels that don't fit are left out, the last ones first.
        for glyph, words, mark_width in marks:
            chip = QRect(x, room.y() + px(1), mark_width, px(20))
            if chip.right() > room.right():
                return
            self._paint_mark(painter, option, QStyle.visualRect(option.direction, card, chip), glyph, words)
            x = chip.right() + px(8)
        painter.setFont(owner_font)
        painter.setPen(QColor(tokens.muted))
        rest = QRect(x, room.y(), room.right() - x, room.height())
        # A few letters of an owner say nothing.
        if rest.width() > px(48):
            self._paint_text(
                painter, option, QStyle.visualRect(option.direction, card, rest), tr("by {owner}", owner=owner)
            )

    def _paint_mark(self, painter: QPainter, option: QStyleOptionViewItem, chip: QRect, glyph: str, words: str) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.bubble))
        painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
        edge = px(13)
        at = QRect(chip.x() + px(8), chip.center().y() - edge // 2, edge, edge)
        icon(glyph, tokens.muted, edge).paint(painter, QStyle.visualRect(option.direction, chip, at))
        painter.setFont(self._theme.font(12, 500))
        painter.setPen(QColor(tokens.muted))
        text = chip.adjusted(px(25), 0, -px(6), 0)
        self._paint_text(painter, option, QStyle.visualRect(option.direction, chip, text), words)

    def _paint_text(self, painter: QPainter, option: QStyleOptionViewItem, room: QRect, text: str) -> None:
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeading)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, start | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, shown)


class ResultList(QListView):
    """List of results; arrows move, Enter or a click opens."""

    opened = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.results = SearchResultModel(self)
        self.setObjectName("results")
        self.setAccessibleName(tr("Models found"))
        self.setProperty("elides", True)
        self.setModel(self.results)
        self.setItemDelegate(ResultDelegate(theme, self))
        # Rows are equally high, so none has to be measured.
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._open)
        theme.changed.connect(self._on_theme_changed)

    def show_found(self, found: Sequence[FoundRepository]) -> None:
        """Show results; scroll position and selection stay if rows were only appended."""
        if not self.results.show(found):
            self.scrollToTop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: Any) -> None:
        # Arrows need a row to start from.
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self.results.found:
            self.setCurrentIndex(self.results.index(0))

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(index.data(FOUND_ROLE).repo)

    def _on_theme_changed(self) -> None:
        self.scheduleDelayedItemsLayout()
        self.viewport().update()


# Search filters: order, maximum size, licence, vision; each button shows its value.


SORTS = (
    ("downloads", "Most downloaded"),
    ("trending", "Trending now"),
    ("likes", "Most liked"),
    ("last_modified", "Newest first"),
)
SIZES = tuple((str(n * 10**9), f"Up to {n} GB") for n in (2, 4, 8, 16, 32))


class Filters(QWidget):
    """Row of filters, wrapped if needed. `changed` is emitted with every choice."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.sort = ChoiceButton(theme, tr("Sort order"), SORTS)
        self.largest = ChoiceButton(theme, tr("Maximum size"), (("0", "Any size"), *SIZES))
        self.license = ChoiceButton(theme, tr("License"), (("", "Any license"), *LICENSES))
        self.vision = text_button(tr("Sees pictures"), "filter")
        self.vision.setCheckable(True)
        self.vision.toggled.connect(self._on_vision)
        for button in (self.sort, self.largest, self.license):
            button.changed.connect(lambda _value: self._on_changed())
            # Placed by hand below, so no layout becomes their parent.
            button.setParent(self)
        self.vision.setParent(self)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        # Without this a layout wouldn't ask for the height of wrapped rows.
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.dress(self.vision, font=(13.5, 500))
        theme.changed.connect(self._place_again)
        self._place_again()
        name_widgets(
            filter_order=self.sort, filter_size=self.largest, filter_licence=self.license, filter_pictures=self.vision
        )

    @property
    def is_narrow(self) -> bool:
        """True if a filter excludes results."""
        return self.largest.value != "0" or bool(self.license.value) or self.vision.isChecked()

    def query(self, text: str, limit: int) -> HubQuery:
        return HubQuery(
            text,
            sort=self.sort.value,
            most_bytes=int(self.largest.value),
            license=self.license.value,
            vision=self.vision.isChecked(),
            limit=limit,
        )

    def widen(self) -> None:
        """Reset all filters, emitting `changed` once."""
        self.blockSignals(True)
        self.largest.choose("0")
        self.license.choose("")
        self.vision.setChecked(False)
        self.blockSignals(False)
        self.changed.emit()

    def _on_vision(self, checked: bool) -> None:
        set_mark(self.vision, "on", checked)
        self._on_changed()

    def _on_changed(self) -> None:
        self._place_again()  # another text changes the width
        self.changed.emit()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place_buttons(width, is_dry=True)

    def sizeHint(self) -> QSize:
        # Before it is shown there is no width to wrap at.
        return QSize(self._theme.px(400), self._place_buttons(self.width() or self._theme.px(400), is_dry=True))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self.sort.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place_buttons(event.size().width())
        super().resizeEvent(event)

    def _place_buttons(self, width: int, *, is_dry: bool = False) -> int:
        """Place the buttons in rows; return the total height."""
        x = y = height = 0
        gap = self._theme.px(8)
        for button in (self.sort, self.largest, self.license, self.vision):
            if button.isHidden():
                continue
            hint = button.sizeHint()
            if x and x + hint.width() > width:
                x, y = 0, y + hint.height() + gap
            if not is_dry:
                place = QRect(x, y, hint.width(), hint.height())
                button.setGeometry(QStyle.visualRect(self.layoutDirection(), self.rect(), place))
            x += hint.width() + gap
            height = y + hint.height()
        return height

    def _place_again(self) -> None:
        self._place_buttons(self.width())
        self.updateGeometry()
