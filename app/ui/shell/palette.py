"""Command palette: one search field over the window for chats, models, commands and settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QItemSelection, QModelIndex, QObject, QRect, QSize, Qt
from PySide6.QtGui import QAction, QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, replace
from app.features.assistants import icon_of
from app.features.finding import (
    CHAT,
    PAGE,
    SUMMARY,
    TRANSLATION,
    Marks,
    SearchHit,
    fitness_with_synonyms,
    parse_query,
    title_marks,
)
from app.ui.i18n import Translatable, tr
from app.ui.icons import icon
from app.ui.locale_formats import join_list
from app.ui.shared_labels import MODEL, NEW_CHAT, PROMPT_LABEL, SETTINGS
from app.ui.shell import tab_spec, tasks
from app.ui.shell.keyboard import written
from app.ui.shell.settings_index import all_settings
from app.ui.shell.tab_spec import Navigation, TabSpec, UiContext
from app.ui.theme import Theme
from app.ui.widgets.elevation import elevate
from app.ui.widgets.input_fields import SearchField
from app.ui.widgets.labels import announce, paint_marked, plain_label, plain_tip
from app.ui.widgets.layouts import drop_focus, end_with_focus
from app.ui.widgets.motion import WAIT_MS, is_moving, may_move
from app.ui.widgets.row_list import Index, KeptListModel
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

WIDTH_PX, TOP_PX, ROW_PX, TALL_PX = 600, 56, 36, 54
MOST_ROWS, SEEN_ROWS = 60, 10
A_CHAT = 3
"""Most hits listed for a single chat."""
NEWEST = 8
"""Recent stored items offered while the field is empty."""
REMEMBERED = 20
SHADE = 70
TYPING_MS = 40
SETTLED_MS = 150
"""How long an entry is chosen before screen readers say it."""
_STORED = {
    CHAT: ("chat-circle-text", "Chat", tab_spec.CHAT),
    SUMMARY: ("article", "Summary", tab_spec.SUMMARIZE),
    TRANSLATION: ("translate", "Translation", tab_spec.TRANSLATE),
    PAGE: ("pen-nib", "Page", tab_spec.WRITE),
}
"""Icon, type name and target tab of each kind of stored item."""


@dataclass(frozen=True)
class PaletteEntry:
    """An entry of the palette. `key` identifies it in the history; `note` at its end is a shortcut or its kind."""

    key: str
    icon: str
    title: str
    note: str
    do: Callable[[], object]
    snippet: str = ""
    marks: Marks = ()
    """Highlighted ranges of the snippet."""
    title_marks: Marks = ()
    also: str = ""
    """Search synonyms."""

    @property
    def spoken(self) -> str:
        return join_list((self.title, self.note, self.snippet))


class Offers:
    """Collects the entries and ranks them: recently used first, then by how well they match.

    What needs the database is taken from `last`, the offers of the palette before, until it is loaded again.
    """

    def __init__(
        self,
        app: Fireside,
        go: Navigation,
        actions: Mapping[str, QAction],
        specs: Iterable[TabSpec],
        last: Offers | None = None,
    ) -> None:
        self._app, self._go = app, go
        self._fixed = [
            PaletteEntry(
                f"action:{name}", "lightning", action.text(), _keys(action), action.trigger, also=_synonyms(action)
            )
            for name, action in actions.items()
            if name != "palette"
        ]
        hits = [
            PaletteEntry(
                f"settings:{hit.name}",
                "gear-six",
                hit.title,
                " › ".join(part for part in (tr(SETTINGS), hit.page) if part),
                partial(go.open_settings, hit.name),
                also=hit.also,
            )
            for hit in all_settings()
        ]
        # Single settings have a "/": there are too many of them for an empty field.
        self._fixed += [entry for entry in hits if "/" not in entry.key]
        self._by_words = [entry for entry in hits if "/" in entry.key]
        """Entries too numerous to list before anything is typed, such as single settings."""
        self._by_words += [
            PaletteEntry(
                f"command:{spec.name}:{command.name}",
                spec.icon,
                tr(command.words),
                tr(spec.label),
                partial(self._do_in, spec.name, command.name),
                also=tr(command.also),
            )
            for spec in specs
            for command in spec.commands
        ]
        self._models: list[PaletteEntry] = last._models if last is not None else []
        self._chats: list[PaletteEntry] = last._chats if last is not None else []
        """Commands of the chat: its prompts and assistants."""
        self._titles: list[SearchHit] | None = last._titles if last is not None else None

    def load(self) -> None:
        """Load the entries that need the database: models, assistants, prompts, projects and titles. Runs on another
        thread.
        """
        found = [
            (f"{tab_spec.ASSISTANT}{assistant.id}", icon_of(assistant), assistant.name, tr("Assistant"))
            for assistant in self._app.assistants.all()
        ]
        found += [
            (f"{tab_spec.PROMPT}{library_prompt.key}", "note", library_prompt.name, tr(PROMPT_LABEL))
            for library_prompt in self._app.chats.prompts().all(tr)
        ]
        found += [
            (f"{tab_spec.PROJECT}{project.id}", project.icon or "folder", project.name, tr("Project"))
            for project in self._app.preambles.projects.all()
        ]
        self._chats = [
            PaletteEntry(command, glyph, name, kind, partial(self._do, command)) for command, glyph, name, kind in found
        ]
        self._models = [
            PaletteEntry(f"model:{path}", "cube", tr(name), tr(MODEL), partial(self._go.use_model, path))
            for path, name in self._app.names.list_choices()
        ]
        self._titles = self._app.finding.list_titles()

    def first(self, recent: Sequence[str]) -> list[PaletteEntry]:
        """Return the entries for an empty field: recently used ones, then the newest items and all commands."""
        stored = [self._stored(hit) for hit in self._titles or ()]
        newest = stored[:NEWEST]
        known = {entry.key: entry for entry in [*self._every, *stored]}
        used = [known[key] for key in recent if key in known]
        others = [model for model in [*newest, *self._fixed, *self._models, *self._chats] if model not in used]
        return [*used, *others]

    def fitting(self, words: str, recent: Sequence[str], token: CancelToken | None = None) -> list[PaletteEntry]:
        """Return the entries that match; with a token, also the slow ones from stored titles and contents."""
        if parse_query(words).is_limited:
            found = (
                self._app.finding.search_text(words, MOST_ROWS, is_cancelled=lambda: token.cancelled) if token else []
            )
            return [self._stored(hit) for hit in found]
        stored = [self._stored(hit) for hit in self._titles or ()] if token is not None else []
        ranked = []
        for entry in [*self._fixed, *self._models, *self._chats, *stored, *self._by_words]:
            fits = fitness_with_synonyms(entry.title, entry.also, entry.note, words)
            if fits is not None:  # None: some word fits nowhere
                used = recent.index(entry.key) if entry.key in recent else len(recent)
                ranked.append((fits, used, replace(entry, title_marks=title_marks(entry.title, words))))
        ranked.sort(key=lambda rank: rank[:2])
        # Without the snippets, which come after all titles.
        entries = [entry[2] for entry in ranked][:MOST_ROWS]
        if token is not None:
            found = self._app.finding.search_text(words, MOST_ROWS, is_cancelled=lambda: token.cancelled)
            known = {entry.key for entry in entries}
            shown: Counter[tuple[str, int]] = Counter()
            for hit in found:
                shown[hit.kind, hit.id] += 1
                entry = self._stored(hit)
                # One long chat must not fill the whole list.
                if hit.snippet and entry.key not in known and shown[hit.kind, hit.id] <= A_CHAT:
                    entries.append(entry)
        return entries[:MOST_ROWS]

    @property
    def _every(self) -> list[PaletteEntry]:
        return [*self._fixed, *self._by_words, *self._models, *self._chats]

    def _do(self, command: str) -> None:
        self._do_in(tab_spec.CHAT, command)

    def _do_in(self, tab: str, command: str) -> None:
        self._go.show_tab(tab).do(command)

    def _stored(self, hit: SearchHit) -> PaletteEntry:
        glyph, kind, tab = _STORED[hit.kind]
        key = f"{hit.kind}:{hit.id}" + (f":{hit.message_id}" if hit.message_id else "")
        title = hit.title or tr(NEW_CHAT)

        def open_it(words: str = "") -> None:
            self._go.show_tab(tab).show_stored(hit.id, hit.message_id, words)

        return PaletteEntry(key, glyph, title, tr(kind), open_it, hit.snippet, hit.marks)


class EntryList(QListView):
    """List for choosing with the mouse; the keyboard focus stays in the field."""

    def __init__(self, theme: Theme, name: str, entries: EntryModel) -> None:
        super().__init__()
        self.setObjectName("palette_list")
        self.setAccessibleName(name)
        self.setProperty("elides", True)
        self.setModel(entries)
        self.setItemDelegate(EntryDelegate(theme, self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        # Not QListView's, which tells screen readers of it: the palette announces the entry itself.
        QAbstractItemView.selectionChanged(self, selected, deselected)


class Palette(QWidget):
    """Palette over the whole window; Escape or a click outside closes it and restores the focus."""

    def __init__(self, app: Fireside, ui: UiContext, offers: Offers) -> None:
        theme, window = ui.theme, ui.window
        super().__init__(window)
        self.setObjectName("palette")
        self._app, self._theme, self._notify, self._offers = app, theme, ui.notify, offers
        self._focus_before = window.focusWidget()
        self._task: tasks.BackgroundTask | None = None
        self._is_loaded = False
        self.field = SearchField(theme, tr("Search chats, models, actions and settings"))
        self.field.setObjectName("palette_field")
        self.entries = EntryModel(self)
        self.list = EntryList(theme, tr("Results"), self.entries)
        self.list.clicked.connect(self._choose)
        self.nothing = theme.dress(plain_label("", kind="muted", wraps=True), font="small", margins=(8, 2, 8, 6))
        self.nothing.setObjectName("palette_nothing")
        self.card = QFrame(self)
        self.card.setProperty("kind", "popover")
        elevate(self.card)
        column = theme.dress(QVBoxLayout(self.card), margins=(10, 10, 10, 8), spacing=8)
        for widget in (self.field, self.nothing, self.list):
            column.addWidget(widget)
        self._delay = new_timer(self, TYPING_MS, self._search_items)
        self._settled = new_timer(self, SETTLED_MS, self._say_chosen)
        self._said = ""
        """The entry that was announced last."""
        self.field.textChanged.connect(self._on_typed)
        self.field.installEventFilter(self)
        window.installEventFilter(self)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]
        theme.changed.connect(self._arrange)
        # A picture of the window stands for it while the card fades in: painted anew with every frame, the window
        # would cost more than half of one.
        self._behind = window.grab() if may_move() else None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, self._behind is not None)
        self._uncovering = new_timer(self, WAIT_MS, self._uncover)
        self._show(offers.first(self._recent))
        self.show()
        self.raise_()
        self._uncovering.start()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)
        # Rows that change would cost a frame of the fade.
        self._delay.start(WAIT_MS if is_moving() else 0)

    def close_palette(self) -> None:
        before = self._focus_before
        had_focus = self.isAncestorOf(self.window().focusWidget() or self.window())
        if had_focus and before is not None and isValid(before) and before.isVisible():
            # While it is shown, or Qt would pass the focus to some other widget first.
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        if not self.isHidden():
            self._end()

    @property
    def chosen(self) -> PaletteEntry | None:
        """The selected entry, which Enter runs."""
        return self.entries.entry_at(self.list.currentIndex())

    @property
    def _recent(self) -> tuple[str, ...]:
        return self._app.settings.window.palette_recent

    def _end(self) -> None:
        self.hide()
        if self._task is not None:
            self._task.abandon()
        self.deleteLater()

    def _on_typed(self) -> None:
        """Show what is in memory at once, and search the database after a short pause in typing."""
        words = self.field.text().strip()
        self._show(self._offers.fitting(words, self._recent) if words else self._offers.first(self._recent))
        self._delay.start(TYPING_MS)

    def _search_items(self) -> None:
        if self._task is not None:
            self._task.abandon()
        words, recent, is_loaded = self.field.text().strip(), self._recent, self._is_loaded

        def find_entries(token: CancelToken) -> list[PaletteEntry]:
            # The first search also reads what the field offers while it is empty.
            if not is_loaded:
                self._offers.load()
            return self._offers.fitting(words, recent, token) if words else self._offers.first(recent)

        def show_entries(entries: list[PaletteEntry]) -> None:
            self._is_loaded, self._task = True, None
            if _names_of(entries) != _names_of(self.entries.entries):
                self._show(entries)
            self._show_nothing()

        self._task = tasks.ask(find_entries, self, show_entries, self._notify.error)
        self._show_nothing()

    def _show(self, entries: Sequence[PaletteEntry]) -> None:
        """Show entries, keeping an entry selected by hand if it is still listed, else selecting the first."""
        # The first row is selected by itself, so it is nobody's choice to keep.
        before = self.chosen if self.list.currentIndex().row() > 0 else None
        self.entries.show(entries)
        row = next((i for i, entry in enumerate(entries) if before is not None and entry.key == before.key), 0)
        self._go_to(row)
        self._show_nothing()
        self._arrange()

    def _show_nothing(self) -> None:
        is_empty = not self.entries.rowCount()
        self.list.setVisible(not is_empty)
        self.nothing.setText(tr("No results for “{words}”.", words=self.field.text().strip()))
        self.nothing.setVisible(is_empty and self._task is None and not self._delay.isActive())

    def _go_to(self, row: int) -> None:
        if count := self.entries.rowCount():
            # Past the end it begins again.
            index = self.entries.index(row % count)
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
            # Not what is passed: a search shows several first rows within a blink.
            self._settled.start()

    def _say_chosen(self) -> None:
        # The same entry may be chosen anew because more was found below it.
        if (entry := self.chosen) is not None and entry.spoken != self._said:
            self._said = entry.spoken
            announce(self.field, entry.spoken)

    def _choose(self, index: QModelIndex) -> None:
        entry, words = self.entries.entry_at(index), parse_query(self.field.text().strip()).words
        if entry is None:
            return
        give_back = partial(_give_back, self.window(), self._focus_before)
        # What is chosen may take the keyboard: on a way over where it was, screen readers would say that, too.
        drop_focus(self)
        self._end()
        # A place in a chat is remembered as the chat.
        key = ":".join(entry.key.split(":")[:2]) if entry.snippet else entry.key
        recent = (key, *(text for text in self._recent if text != key))[:REMEMBERED]
        with self._notify.guard():
            self._app.change_settings("window", palette_recent=recent)
        do = partial(entry.do, words) if entry.snippet else entry.do  # type: ignore[call-arg]
        end_with_focus(self.window(), do, give_back)

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        # Something else took the keyboard, such as a dialog, which this would cover.
        if now is not None and self.isVisible() and not self.isAncestorOf(now):
            self._end()

    def _arrange(self) -> None:
        px, around = self._theme.px, self.parentWidget()
        if around is None:
            return
        self.setGeometry(around.rect())
        width = min(px(WIDTH_PX), self.width() - 2 * px(16))
        rows = sum(self.list.sizeHintForRow(row) for row in range(min(SEEN_ROWS, self.entries.rowCount())))
        self.list.setFixedHeight(max(1, min(rows + 2, self.height() - px(TOP_PX) - px(110))))
        self.card.setFixedWidth(width)
        self.card.adjustSize()
        self.card.move((self.width() - width) // 2, px(TOP_PX))

    def _uncover(self) -> None:
        """Let the window itself be seen again, which may have changed meanwhile."""
        self._behind = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, False)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._behind is not None:
            painter.drawPixmap(0, 0, self._behind)
        painter.fillRect(self.rect(), QColor(0, 0, 0, SHADE))

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self.close_palette()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.window() and event.type() == QEvent.Type.Resize:
            self._uncover()
            self._arrange()
        # Filtered, since the field itself would use some of these keys.
        elif watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._takes(event)
        return False

    def _takes(self, event: QKeyEvent) -> bool:
        """Handle the keys of the list and the palette while the field has the focus. Return whether the key
        was used.
        """
        key, row = event.key(), self.list.currentIndex().row()
        page = min(SEEN_ROWS, max(1, self.entries.rowCount())) - 1
        last = self.entries.rowCount() - 1
        places = {
            Qt.Key.Key_Down: row + 1,
            Qt.Key.Key_Tab: row + 1,
            Qt.Key.Key_Up: row - 1,
            Qt.Key.Key_Backtab: row - 1,
            Qt.Key.Key_PageDown: min(row + page, last),
            Qt.Key.Key_PageUp: max(row - page, 0),
        }
        if key in places:
            self._go_to(places[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.list.currentIndex())
        elif key == Qt.Key.Key_Escape:
            self.close_palette()
        else:
            return False
        return True


ENTRY_ROLE = Qt.ItemDataRole.UserRole


class EntryModel(KeptListModel[PaletteEntry]):
    @property
    def entries(self) -> list[PaletteEntry]:
        """The entries in the order in which the palette shows them."""
        return self._rows

    def show(self, entries: Sequence[PaletteEntry]) -> None:
        # A place in a chat has the chat's title, and a message may be found at several.
        self.replace_rows(entries, lambda entry: (entry.key, entry.snippet))

    def entry_at(self, index: Index) -> PaletteEntry | None:
        return self.entries[index.row()] if index.isValid() else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(entry.snippet or entry.title)
        texts = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
        return entry.spoken if role in texts else entry if role == ENTRY_ROLE else None


class EntryDelegate(QStyledItemDelegate):
    """Draws an entry: icon, title, kind or shortcut at the end, and a snippet below."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        entry: PaletteEntry = index.data(ENTRY_ROLE)
        return QSize(self._theme.px(200), self._theme.px(TALL_PX if entry.snippet else ROW_PX))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: PaletteEntry = index.data(ENTRY_ROLE)
        px, tokens, rect = self._theme.px, self._theme.tokens, QRect(option.rect)
        state: QStyle.StateFlag = option.state
        is_mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        if is_chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.chosen if is_chosen else tokens.bubble))
            painter.drawRoundedRect(rect.toRectF().adjusted(0.5, 1.5, -0.5, -1.5), px(8), px(8))
        line = QRect(rect.x(), rect.y(), rect.width(), px(ROW_PX)).adjusted(px(12), 0, -px(12), 0)
        size = px(16)
        glyph = QRect(line.right() - size if is_mirrored else line.x(), line.center().y() - size // 2, size, size)
        icon(entry.icon, tokens.muted, size).paint(painter, glyph)
        painter.setFont(self._theme.font("small"))
        note_px = painter.fontMetrics().horizontalAdvance(entry.note)
        painter.setPen(QColor(tokens.muted))
        end = Qt.AlignmentFlag.AlignLeft if is_mirrored else Qt.AlignmentFlag.AlignRight
        painter.drawText(line, end | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, entry.note)
        leading, trailing = size + px(10), note_px + px(14)
        room = line.adjusted(trailing if is_mirrored else leading, 0, -(leading if is_mirrored else trailing), 0)
        paint = partial(paint_marked, painter, tokens=tokens, is_mirrored=is_mirrored)
        painter.setFont(self._theme.font("control" if is_chosen else "row"))
        height = painter.fontMetrics().height()
        title = QRect(room.x(), line.center().y() - height // 2, room.width(), height)
        paint(title, entry.title, entry.title_marks, colour=tokens.text)
        if entry.snippet:
            painter.setFont(self._theme.font("small"))
            below = QRect(line.x(), rect.y() + px(ROW_PX) - px(7), line.width(), px(20))
            below = below.adjusted(0 if is_mirrored else leading, 0, -leading if is_mirrored else 0, 0)
            paint(below, entry.snippet, entry.marks, colour=tokens.muted)
        painter.restore()


def toggle_palette(
    app: Fireside, ui: UiContext, actions: Mapping[str, QAction], specs: Iterable[TabSpec], last: Offers | None = None
) -> Offers | None:
    """Open the palette and return its offers, or close it if it is open."""
    known = next((palette for palette in ui.window.findChildren(Palette) if not palette.isHidden()), None)
    if known is not None:
        known.close_palette()
        return last
    offers = Offers(app, ui.go, actions, specs, last)
    Palette(app, ui, offers)
    return offers


def _give_back(window: QWidget, before: QWidget | None) -> None:
    """Return the keyboard to what had it, unless something else has it now."""
    if window.focusWidget() is None and before is not None and isValid(before) and before.isVisible():
        before.setFocus(Qt.FocusReason.PopupFocusReason)


def _names_of(entries: Sequence[PaletteEntry]) -> list[tuple[str, str]]:
    return [(entry.key, entry.spoken) for entry in entries]


def _synonyms(action: QAction) -> str:
    also: Translatable = action.data()
    return tr(also)


def _keys(action: QAction) -> str:
    keys = action.shortcut().toString()
    return written(keys) if keys else ""
