"""Window of the help: a list of pages, a search over all of them, and the page with its links and pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QFontMetrics, QKeyEvent, QKeySequence, QPixmap, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from app.core.catalogue import language_in_use
from app.core.installed_languages import ENGLISH
from app.core.lazy_dataclasses import dataclass
from app.features.finding import title_marks, words_pattern
from app.features.help_pages import CHANGES, HelpPage, help_picture, load_help_page, search_help
from app.language.scripts import is_right_to_left
from app.ui.help.help_topics import GROUPS, PAGES, find_keywords, page_of
from app.ui.i18n import Translatable, tr, window_title
from app.ui.locale_formats import isolate
from app.ui.screen_reader import read_as
from app.ui.shared_labels import HELP
from app.ui.shell.entry_search import EntrySearch
from app.ui.shell.keyboard import move_focus, written
from app.ui.shell.palette import PaletteEntry
from app.ui.shell.tab_spec import TabSpec
from app.ui.text.formats import char_format, cursor_over, highlight
from app.ui.text.markdown import read
from app.ui.text.markdown_card import MarkdownCard
from app.ui.text.text_view import TextView
from app.ui.theme import Theme
from app.ui.utf16 import utf16_length
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout, scrolled, within_screen
from app.ui.widgets.row_list import GroupedListModel, Index, RowList

SEARCH_HELP = "Search help"
BACK_IN_HELP = "Back"
HELP_PAGES = "Pages of the help"
NOT_TRANSLATED = "This page is in English, as it isn’t translated yet."
OUTDATED = "The program has changed since this page was translated."
CHANGES_IN_ENGLISH = "This list is only in English."
WIDTH_PX, HEIGHT_PX, LIST_PX, MEASURE_PX = 880, 640, 224, 600
MOST_LIST_PX, AROUND_TITLE_PX = 296, 52
"""The widest list, for languages with long titles, and what stands beside a title in it."""
_LINK = re.compile(r"\]\(([a-z-]+)\.md\)")
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_INSIDE = "https://help.invalid/"
"""Address that stands for the help itself: texts keep no other links, and none can lead there."""
_PICTURE = re.compile(r"^!\[([^\]]*)\]\(([a-z-]+)\)$", re.MULTILINE)


@dataclass(frozen=True)
class HelpRow:
    """Row of the list of pages; `id` is its place, counted from 1."""

    id: int
    title: str
    group: Translatable


class HelpList(GroupedListModel[HelpRow]):
    """List of the pages below their headings; nothing of it can be edited."""

    groups = tuple(heading for heading, _ in GROUPS)

    def group_of(self, row: HelpRow, now: datetime) -> Translatable:  # noqa: ARG002
        return row.group

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) & ~Qt.ItemFlag.ItemIsEditable


class HelpText(MarkdownCard):
    """A part of a page; links to other pages stay inside the help."""

    most_px = MEASURE_PX
    page_wanted = Signal(str)

    def __init__(self, theme: Theme, markdown: str) -> None:
        super().__init__(theme)
        markdown = _CODE.sub(lambda found: f"`{isolate(shown_keys(found[1]))}`", markdown)
        self.body.set_blocks(read(_LINK.sub(rf"]({_INSIDE}\1)", markdown)), [], 1)

    def open_link(self, href: str) -> None:
        if href.startswith(_INSIDE):
            self.page_wanted.emit(href.removeprefix(_INSIDE))
        else:
            super().open_link(href)

    def mark_words(self, words: str) -> None:
        """Highlight the words of a search; "" ends that."""
        pattern, tokens = words_pattern(words), self._theme.tokens
        look = char_format(None, tokens.text, tokens.mark)
        for view in self.body.findChildren(TextView):
            text = view.toPlainText()
            places = [found.span() for found in pattern.finditer(text) if found[0]] if pattern else []
            spans = [(utf16_length(text[:start]), utf16_length(text[:end])) for start, end in places]
            view.setExtraSelections([highlight(cursor_over(view.document(), *span), look) for span in spans])


def shown_keys(code: str) -> str:
    """Return keys as the system and the language write them; other code, such as a word to type, as it is."""
    keys = code.replace("Enter", "Return")
    is_key = QKeySequence(keys).toString(QKeySequence.SequenceFormat.PortableText) == keys
    return written(keys) if is_key else code


def language_note(page: HelpPage) -> str:
    """Return what is to be said about the language of a page; "" where it is as the window is."""
    if language_in_use() == ENGLISH:
        return ""
    if page.name == CHANGES:
        return tr(CHANGES_IN_ENGLISH)
    if page.language != language_in_use():
        return tr(NOT_TRANSLATED)
    return tr(OUTDATED) if page.is_outdated else ""


class HelpPicture(QLabel):
    """Picture of a screen in the colors of the theme, as wide as the text at most."""

    def __init__(self, theme: Theme, name: str, words: str) -> None:
        super().__init__()
        self._theme, self._name = theme, name
        self.setAccessibleName(words)
        theme.changed.connect(self.show_picture)

    def show_picture(self) -> None:
        """Show the picture of the current scheme; nothing where it was not made."""
        file = help_picture(self._name, is_dark=self._theme.is_dark)
        self.setVisible(file is not None)
        if file is not None:
            ratio, width = self.devicePixelRatioF(), min(self._theme.px(MEASURE_PX), self.width())
            picture = QPixmap(str(file)).scaledToWidth(
                max(1, round(width * ratio)), Qt.TransformationMode.SmoothTransformation
            )
            picture.setDevicePixelRatio(ratio)
            self.setPixmap(picture)


class HelpPageView(QWidget):
    """Title, texts and pictures of one page, which scroll as a whole."""

    page_wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.title = theme.dress(plain_label(wraps=True), font="title")
        self.note = theme.dress(plain_label(kind="muted", wraps=True), font="small")
        self._parts = theme.dress(drop_margins(QVBoxLayout()), spacing=14)
        self._inside = QWidget()
        self._inside.setObjectName("page")
        column = fill_layout(QVBoxLayout(self._inside), self.note, self.title, self._parts, 1)
        theme.dress(column, margins=(28, 20, 28, 28), spacing=12)
        self.area = scrolled(self._inside)
        fade_ends(self.area, theme)
        fill_layout(drop_margins(QVBoxLayout(self)), self.area)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        read_as(self, QAccessible.Role.Document)

    @property
    def texts(self) -> list[HelpText]:
        """Parts of the page in their order, without pictures."""
        return [part for part in self._widgets() if isinstance(part, HelpText)]

    def show_page(self, page: HelpPage, words: str = "") -> None:
        """Show a page from its beginning, with the words of a search highlighted."""
        for old in list(self._widgets()):
            self._parts.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.note.setText(language_note(page))
        self.note.setVisible(bool(self.note.text()))
        self.note.setLayoutDirection(self.layoutDirection())
        runs_left = is_right_to_left(page.markdown)
        self._inside.setLayoutDirection(Qt.LayoutDirection.RightToLeft if runs_left else Qt.LayoutDirection.LeftToRight)
        self.title.setText(page.title)
        self.setAccessibleName(page.title)
        pieces = _PICTURE.split(page.markdown)
        for place in range(0, len(pieces), 3):
            if pieces[place].strip():
                text = HelpText(self._theme, pieces[place].strip())
                text.page_wanted.connect(self.page_wanted)
                self._parts.addWidget(text)
                text.mark_words(words)
            if place + 2 < len(pieces):
                picture = HelpPicture(self._theme, pieces[place + 2], pieces[place + 1])
                self._parts.addWidget(picture)
                picture.show_picture()
        self.area.verticalScrollBar().setValue(0)
        announce(self, page.title)

    def _widgets(self) -> Iterator[QWidget]:
        items = (self._parts.itemAt(place) for place in range(self._parts.count()))
        return (widget for item in items if item is not None and (widget := item.widget()) is not None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for part in self._widgets():
            if isinstance(part, HelpPicture):
                part.show_picture()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll by the keys of a page, as the scroll area itself takes no focus."""
        bar = self.area.verticalScrollBar()
        steps = {
            Qt.Key.Key_Down: bar.singleStep(),
            Qt.Key.Key_Up: -bar.singleStep(),
            Qt.Key.Key_PageDown: bar.pageStep(),
            Qt.Key.Key_PageUp: -bar.pageStep(),
            Qt.Key.Key_Home: -bar.maximum(),
            Qt.Key.Key_End: bar.maximum(),
        }
        if (step := steps.get(Qt.Key(event.key()))) is None:
            super().keyPressEvent(event)
        else:
            bar.setValue(bar.value() + step)


class HelpWindow(Dialog):
    """Window of the help over another, which stays usable. Escape closes it and returns the focus."""

    help_screen = ""
    page = ""
    """Name of the page that is shown."""

    def __init__(self, theme: Theme, above: QWidget, specs: Sequence[TabSpec] = ()) -> None:
        super().__init__(above)
        self._theme, self._before, self._specs = theme, QApplication.focusWidget(), specs
        self._history: list[str] = []
        self.setObjectName("help_window")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.rows = HelpList(self)
        self.list = RowList(theme, self.rows, tr(HELP_PAGES))
        self.list.setObjectName("chats")
        self.view = HelpPageView(theme)
        self.back = text_button(tr(BACK_IN_HELP), "quiet", name="help_back", on_click=self.go_back)
        self._shown = QStackedWidget()
        self.search = EntrySearch(
            theme,
            self,
            tr(SEARCH_HELP),
            find_entries=self._find_pages,
            show_results=lambda wanted: self._shown.setCurrentIndex(int(wanted)),
        )
        fill_layout(self._shown, self.view, self.search.results)
        self._lay_out()
        self._list_pages()
        width = theme.px(WIDTH_PX - LIST_PX) + self._side.width()
        self.resize(within_screen(self, QSize(width, theme.px(HEIGHT_PX))))
        theme.changed.connect(self._fit_list)
        self.list.clicked.connect(self._on_row)
        self.list.moved.connect(self._on_row)
        self.view.page_wanted.connect(self.show_page)

    def _list_pages(self) -> None:
        self._titles = {name: load_help_page(name, language_in_use()).title for name in PAGES}
        places = {name: place for place, name in enumerate(PAGES, 1)}
        self.rows.show(
            [HelpRow(places[name], self._titles[name], heading) for heading, names in GROUPS for name in names]
        )
        self._fit_list()

    def _fit_list(self) -> None:
        px, metrics = self._theme.px, QFontMetrics(self._theme.font("strong"))
        widest = max(map(metrics.horizontalAdvance, self._titles.values()))
        self._side.setFixedWidth(min(px(MOST_LIST_PX), max(px(LIST_PX), widest + px(AROUND_TITLE_PX))))

    def _lay_out(self) -> None:
        side, right = QWidget(), QWidget()
        self._side = side
        side.setObjectName("settings_nav")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = fill_layout(QVBoxLayout(side), self.search.field, (self.list, 1))
        above = fill_layout(QHBoxLayout(), self.back, 1)
        fill_layout(drop_margins(QVBoxLayout(right), 0), above, (self._shown, 1))
        fill_layout(drop_margins(QHBoxLayout(self), 0), side, (right, 1))
        dress = self._theme.dress
        dress(column, margins=(12, 16, 8, 12), spacing=8)
        dress(above, margins=(16, 10, 16, 0))
        self._dress_back()
        self.back.hide()

    def _dress_back(self) -> None:
        glyph = "arrow-right" if self.isRightToLeft() else "arrow-left"
        self._theme.dress(self.back, font="control", glyph=(glyph, "muted", 16))

    def show_page(self, name: str, words: str = "") -> None:
        """Show a page, from which Back leads to the one before; `words` of a search are highlighted."""
        if self.page not in ("", name):
            self._history.append(self.page)
        self._show(name, words)

    def go_back(self) -> None:
        """Show the page that was shown before, if there was one."""
        if self._history:
            self._show(self._history.pop(), "")

    def _show(self, name: str, words: str) -> None:
        self.page = name
        self.search.field.clear()
        self._load_page(words)
        self.back.setVisible(bool(self._history))
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _load_page(self, words: str) -> None:
        page = load_help_page(self.page, language_in_use())
        self.view.show_page(page, words)
        self.setWindowTitle(window_title(f"{tr(HELP)}: {page.title}"))
        self.list.mark(self.rows.index_of(PAGES.index(self.page) + 1))

    def _find_pages(self, words: str) -> list[PaletteEntry]:
        return [
            PaletteEntry(
                hit.page.name,
                "question",
                hit.page.title,
                "",
                partial(self.show_page, hit.page.name, hit.words),
                snippet=hit.snippet,
                marks=hit.marks,
                title_marks=title_marks(hit.page.title, words),
            )
            for hit in search_help(PAGES, words, language_in_use(), find_keywords(self._specs))
        ]

    def _on_row(self, index: QModelIndex) -> None:
        if (row := self.rows.row_at(index)) is not None and PAGES[row.id - 1] != self.page:
            had_list = self.list.hasFocus()
            self.show_page(PAGES[row.id - 1])
            if had_list:  # arrows go on to the next page
                self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange and self.page:
            self._list_pages()
            self._load_page("")
            self.search.search_again()
        elif event.type() == QEvent.Type.LayoutDirectionChange and self.page:
            self._dress_back()
            self._load_page("")  # its note goes with the window

    def keyPressEvent(self, event: QKeyEvent) -> None:
        alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        if event.key() == (Qt.Key.Key_Right if self.isRightToLeft() else Qt.Key.Key_Left) and alt:
            self.go_back()
        elif event.key() == Qt.Key.Key_F and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.search.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            super().keyPressEvent(event)

    def show_own_help(self) -> None:
        """Go to the search: the help of the help is to find a page."""
        self.search.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        return move_focus(self, is_next)

    def done(self, result: int) -> None:
        """Close, and give the focus back to what had it."""
        super().done(result)
        if (behind := self.parentWidget()) is not None:
            behind.activateWindow()
        if self._before is not None and isValid(self._before) and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)


def show_help(theme: Theme, screen: str, above: QWidget, specs: Sequence[TabSpec] = ()) -> HelpWindow:
    """Show the page about a screen, in the help window that is already open over this window, or in a new one.

    Searches know the words of the tabs in `specs`.
    """
    open_windows = above.findChildren(HelpWindow, options=Qt.FindChildOption.FindDirectChildrenOnly)
    window = next((found for found in open_windows if found.isVisible()), None) or HelpWindow(theme, above, specs)
    window.show_page(page_of(screen))
    window.show()
    window.raise_()
    window.activateWindow()
    return window
