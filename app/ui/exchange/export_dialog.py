"""Export chats to a file or print them: choice of chats, format, and whether to include the model's thinking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.core.events import CancelToken
from app.core.paths import make_folder
from app.core.visible import visible_name
from app.documents.blocks import Block
from app.documents.protocol import Draw, Drawn
from app.documents.read_document import PageRenderer
from app.features.error_messages import PersonMessage
from app.features.exchange.chat_export import ExportFinished, ExportProgress, export_chats
from app.features.shown_document import TextHighlight
from app.store.conversation_row import Conversation
from app.store.projects import Projects
from app.ui.document.document_page import PagePane
from app.ui.exchange.window_files import WindowFiles
from app.ui.i18n import tr, tr_count, window_title
from app.ui.icons import icon
from app.ui.locale_formats import format_number
from app.ui.shared_labels import CANCEL, CHATS, EXPORT_OR_PRINT, NEW_CHAT, NEXT_PAGE, SEARCH_CHATS
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.input_fields import RadioRow, SearchField, Switch, paint_mark
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout, name_widgets, scrolled, within_screen
from app.ui.widgets.row_list import Index, PlainRowDelegate, TicksAnywhere, is_ticked
from app.ui.work.doing import NoticeProgress, file_name, run_in_sight

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter

    from app.bootstrap import Fireside

ONE_CHAT_CHOSEN = "1 chat selected"
EXPORT_PROJECT_CHATS = "Export the {count} chats of “{name}”"
EXPORT_CHAT = "Export “{title}”"


FORMATS = (
    (".pdf", "PDF", "Pages to read or share"),
    (".docx", "Word document", "For further editing"),
    (".html", "Web page", "One file that opens in any browser"),
    (".md", "Markdown", "Plain text for notes and programs"),
    (".json", "JSON", "All versions, for importing again"),
)
WIDTH_PX, WIDE_PX, LIST_PX, ROW_PX = 460, 780, 210, 32
NARROW_PX = 600
"""Below this width, formats move under the chats."""


class ChatExports(WindowFiles):
    """Ask what to export, write it on a thread, and report the result."""

    def do(self, command: str, open_id: int | None) -> None:
        """Run a command of the shortcut table: export, print (the open chat, or ask which) or export_chats."""
        if command == "print" and open_id is not None:
            with self._notify.guard():
                if (chat := self._app.conversations.get(open_id)) is not None:
                    self.print([chat])
        else:
            self.ask([open_id] if open_id is not None and command != "export_chats" else None)

    def ask(self, ids: Sequence[int] | None = None, name: str = "") -> None:
        """Open the dialog for these chats, under a common name, or for all chats to choose from."""
        conversations = self._app.conversations
        with self._notify.guard():
            found = conversations.find() if ids is None else [conversations.get(number) for number in ids]
            chats = [chat for chat in found if chat is not None]
            if not chats:
                self._notify.mention(tr("No chats yet."))
                return
            dialog = ExportDialog(self._ui.theme, chats, self._window, name=name, is_chosen=ids is not None)
            dialog.file_wanted.connect(self.ask_where)
            dialog.print_wanted.connect(self.print)
            dialog.open()

    def offer_project(self, project_id: int, menu: QMenu) -> None:
        """Add an export entry to the menu of a project that has chats."""
        projects = Projects(self._app.database)
        with self._notify.guard():
            project, chats = projects.get(project_id), projects.chats_of(project_id)
            if project is None or not chats:
                return
            ids, glyph = [chat.id for chat in chats], icon("export", self._ui.theme.tokens.muted)
            action = menu.addAction(glyph, tr(EXPORT_OR_PRINT), lambda: self.ask(ids, project.name))
            before = next((action for action in menu.actions() if action.isSeparator()), None)
            if before is not None:
                menu.insertAction(before, action)

    def ask_where(self, chats: Sequence[Conversation], ending: str, with_thinking: bool, name: str = "") -> QFileDialog:
        """Ask for the file, by default named after the chat, then write it."""
        title = (chats[0].title if len(chats) == 1 else "") or tr(CHATS)
        return self._ask_to_save(
            tr("Export chats"),
            "export_chats",
            kind=tr({known: words for known, words, _ in FORMATS}[ending]),
            offered=name or file_name(title, tr(CHATS)) + ending,
            take=lambda path: self._on_file(chats, ending, with_thinking, path),
        )

    def _on_file(self, chats: Sequence[Conversation], ending: str, with_thinking: bool, path: Path) -> None:
        # For the dialog "lease v1.2" has an ending, though none of ours: then ours is appended.
        if path.suffix.lower() not in [known for known, _, _ in FORMATS]:
            path = path.with_name(path.name + ending)
            if path.exists():  # the dialog didn't ask about overwriting this one
                self.ask_where(chats, ending, with_thinking, path.name)
                return
        self.export(chats, path, with_thinking=with_thinking)

    def export(self, chats: Sequence[Conversation], path: Path, *, with_thinking: bool = False) -> tasks.BackgroundTask:
        """Export in the format of the file's ending, on a thread."""
        archive = self._app.shelf

        def work(token: CancelToken) -> Iterator[object]:
            if path.suffix.lower() == ".pdf":
                from app.ui.paper.printed_chats import export_pdf  # imported only for an export

                return export_pdf(path, chats, archive, token, with_thinking=with_thinking)
            return export_chats(path, chats, archive, token, with_thinking=with_thinking)

        def told(event: ExportFinished) -> None:
            if not event.is_cancelled:
                self._notify.saved(path)

        return run_in_sight(self._ui, work, tr("Exporting {name}", name=path.name), _progress_of, told)

    def print(self, chats: Sequence[Conversation], with_thinking: bool = False) -> None:
        """Open the print preview, from which they can be printed."""
        Printing(self._app, self._ui, chats, with_thinking=with_thinking, window=self._window).show_pages()


class ExportDialog(Dialog):
    """Export dialog; names the chats if they were chosen before, else lists them with check boxes."""

    file_wanted = Signal(list, str, bool)
    """Chats, file ending, and whether to include thinking."""
    print_wanted = Signal(list, bool)

    def __init__(
        self, theme: Theme, chats: Sequence[Conversation], parent: QWidget, *, name: str, is_chosen: bool
    ) -> None:
        super().__init__(parent)
        self._theme, self._chats = theme, list(chats)
        self.set_up_window("export_dialog", tr("Export"))
        self._head = theme.dress(plain_label(wraps=True), font="section")
        self._head.setText(self._title(name, is_chosen=is_chosen))
        self.choice = ChatChoice(theme, chats)
        self.choice.setVisible(not is_chosen)
        if is_chosen:
            # It is hidden, but its ticks are what is exported.
            self.choice.tick_all(is_on=True)
        self.choice.changed.connect(self._on_changed)
        inside = QWidget()
        inside.setObjectName("page")
        within, column = QVBoxLayout(inside), QVBoxLayout(self)
        self._sides = self._chats_and_formats()
        fill_layout(within, self._head, self._sides)
        buttons = self._buttons()
        column.addWidget(scrolled(inside), 1)  # so that the buttons stay visible on a small screen
        column.addSpacing(theme.px(4))
        column.addLayout(buttons)
        theme.dress(within, margins=(0, 0, 0, 0), spacing=10)
        theme.dress(column, margins=(24, 20, 24, 20), spacing=10)
        self._on_changed()
        width = theme.px(WIDTH_PX if is_chosen else WIDE_PX)
        margins = column.contentsMargins()
        # Wrapped lines need their height at this very width.
        lines = within.totalHeightForWidth(width - margins.left() - margins.right())
        below = buttons.sizeHint().height() + 2 * column.spacing() + theme.px(4)
        height = max(lines, within.sizeHint().height()) + below + margins.top() + margins.bottom()
        self.resize(within_screen(self, QSize(width, height)))

    def _title(self, name: str, *, is_chosen: bool) -> str:
        if not is_chosen:
            return tr("Export chats")
        if len(self._chats) == 1:
            return tr(EXPORT_CHAT, title=self._chats[0].title or tr(NEW_CHAT))
        if name:
            return tr_count("Export the {count} chat of “{name}”", EXPORT_PROJECT_CHATS, len(self._chats), name=name)
        return tr_count("Export {count} chat", "Export {count} chats", len(self._chats))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < self._theme.px(NARROW_PX)
        self._sides.setDirection(QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight)

    def _chats_and_formats(self) -> QHBoxLayout:
        """Return the layout with chats on the leading side and formats on the other."""
        how = self._theme.dress(fill_layout(QVBoxLayout(), self._formats(), self._thinking(), 1), spacing=10)
        return self._theme.dress(fill_layout(QHBoxLayout(), (self.choice, 5), (how, 4)), spacing=20)

    def _formats(self) -> QVBoxLayout:
        rows, self._group = QVBoxLayout(), QButtonGroup(self)
        self._theme.dress(rows, spacing=2)
        self._rows: dict[str, RadioRow] = {}
        for ending, words, detail in FORMATS:
            row = self._rows[ending] = RadioRow(self._theme, tr(words), tr(detail))
            row.toggled.connect(self._on_changed)
            self._group.addButton(row)
            rows.addWidget(row)
        self._rows[FORMATS[0][0]].setChecked(True)
        return rows

    def _thinking(self) -> QHBoxLayout:
        name = tr("Include thinking")
        words, self.thinking = plain_label(name, wraps=True), Switch(self._theme, name, on=False)
        row = fill_layout(QHBoxLayout(), (words, 1), self.thinking)
        self._theme.dress(words, font="row")
        return row

    def _buttons(self) -> QHBoxLayout:
        row = self._theme.dress(fill_layout(QHBoxLayout(), 1), spacing=8)
        self.export = text_button(tr("Export…"), "primary", on_click=self._on_export)
        self.export.setDefault(True)
        self.print_button = text_button(tr("Print…"), on_click=self._on_print)
        cancel = text_button(tr(CANCEL), "quiet", on_click=self.reject)
        for button in (cancel, self.print_button, self.export):
            row.addWidget(button)
        name_widgets(export_now=self.export, print_now=self.print_button, cancel_export=cancel)
        return row

    @property
    def ending(self) -> str:
        return next(ending for ending, row in self._rows.items() if row.isChecked())

    @property
    def chosen(self) -> list[Conversation]:
        """Ticked chats in the order of the list, hidden ones included."""
        ticked = self.choice.ticked
        return [chat for chat in self._chats if chat.id in ticked]

    def _on_changed(self) -> None:
        if not hasattr(self, "print_button"):  # during construction
            return
        has_some, is_everything = bool(self.choice.ticked), self.ending == ".json"
        self.export.setEnabled(has_some)
        self.print_button.setEnabled(has_some)
        # JSON always has all versions with their thinking.
        self.thinking.setEnabled(not is_everything)

    def _on_export(self) -> None:
        chats, ending, thinking = self.chosen, self.ending, self.thinking.isChecked()
        # Closed first: the file dialog belongs to the window.
        self.accept()
        self.file_wanted.emit(chats, ending, thinking)

    def _on_print(self) -> None:
        chats, thinking = self.chosen, self.thinking.isChecked()
        self.accept()
        self.print_wanted.emit(chats, thinking)


class ChatChoice(QWidget):
    """List with check boxes, a filter, and a button to tick all that are visible."""

    changed = Signal()

    def __init__(self, theme: Theme, chats: Sequence[Conversation]) -> None:
        super().__init__()
        self.search = SearchField(theme, tr(SEARCH_CHATS))
        self.search.textChanged.connect(self._on_searched)
        self.list = QListWidget()
        self.list.setAccessibleName(tr(CHATS))
        self.list.setProperty("elides", True)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setItemDelegate(TickDelegate(theme, self.list))
        for chat in chats:
            title = chat.title or tr(NEW_CHAT)
            item = QListWidgetItem(title, self.list)
            item.setToolTip(plain_tip(title))
            item.setData(Qt.ItemDataRole.UserRole, chat.id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
        self.list.itemChanged.connect(lambda _: self._on_ticked())
        self.count = plain_label(kind="muted")
        self.all = text_button("", "link", on_click=lambda: self.tick_all(is_on=not self._is_all))
        foot = fill_layout(QHBoxLayout(), (self.count, 1), self.all)
        theme.dress(fill_layout(QVBoxLayout(self), self.search, (self.list, 1), foot), margins=(0, 0, 0, 4), spacing=6)
        theme.dress(self.list, font="row", least_height=LIST_PX)
        theme.dress(self.count, self.all, font="small")
        name_widgets(chats_to_export=self.list, tick_all=self.all)
        self._on_ticked()

    @property
    def ticked(self) -> set[int]:
        """Ids of the ticked chats, including those hidden by the filter."""
        return {item.data(Qt.ItemDataRole.UserRole) for item in self._items if _is_on(item)}

    def tick_all(self, *, is_on: bool) -> None:
        state = Qt.CheckState.Checked if is_on else Qt.CheckState.Unchecked
        # One signal for all of them, instead of one for each row.
        self.list.blockSignals(True)
        for item in self._items:
            if not item.isHidden():
                item.setCheckState(state)
        self.list.blockSignals(False)
        # The view repaints rows by the signals that were blocked.
        self.list.viewport().update()
        self._on_ticked()

    @property
    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    @property
    def _is_all(self) -> bool:
        return all(_is_on(item) for item in self._items if not item.isHidden())

    def _on_ticked(self) -> None:
        count = len(self.ticked)
        self.count.setText(tr_count(ONE_CHAT_CHOSEN, "{count} chats selected", count))
        self.all.setText(tr("Select none") if self._is_all else tr("Select all"))
        self.all.setAccessibleName(self.all.text())
        self.changed.emit()

    def _on_searched(self, words: str) -> None:
        wanted = words.strip().casefold()
        for item in self._items:
            item.setHidden(wanted not in item.text().casefold())
        self._on_ticked()


class TickDelegate(TicksAnywhere, PlainRowDelegate):
    """Paint list rows like check rows; a click anywhere, or Space, toggles a row."""

    row_px = ROW_PX

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        painter.save()
        near = QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus
        self.paint_back(painter, option, is_lit=bool(option.state & near))
        edge, gap = px(16), px(10)
        is_mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        x = option.rect.right() - gap - edge if is_mirrored else option.rect.left() + gap
        mark = QRectF(x, option.rect.center().y() - edge / 2, edge, edge)
        paint_mark(painter, mark, tokens, is_on=is_ticked(index), is_round=False)
        begin = 2 * gap + edge
        room = option.rect.adjusted(gap if is_mirrored else begin, 0, -(begin if is_mirrored else gap), 0)
        self.write(painter, option, str(index.data()), room, colour=tokens.text)
        painter.restore()


def _is_on(item: QListWidgetItem) -> bool:
    return item.checkState() == Qt.CheckState.Checked


PREVIEW_PX, PREVIEW_HEIGHT_PX = 620, 720
"""Size of the preview window."""
NOT_PRINTED = PersonMessage("The printer isn’t accepting jobs right now.", "Nothing was printed.")


class PrintedPages:
    """Adapter that lets the document view draw the pages of a PDF file."""

    unit = "page"
    pages_without_text: tuple[int, ...] = ()
    block_count = 0
    can_draw = True
    note = address = ""

    def __init__(self, path: Path, pages: int, name: str, folder: Path) -> None:
        self.path, self.pages, self.name = path, pages, name
        self._drawing = PageRenderer(folder)

    def read_blocks(self, first_id: int, count: int) -> list[Block]:  # noqa: ARG002
        return []

    def blocks_of_page(self, page: int) -> list[Block]:  # noqa: ARG002
        return []

    def search_text(self, text: str, limit: int = 1000) -> list[TextHighlight]:  # noqa: ARG002
        return []

    def draw_page(self, page: int, scale: float, cancel: CancelToken) -> Iterator[Drawn]:
        return self._drawing.draw(Draw(str(self.path), page, scale), cancel)

    def close(self) -> None:
        """End the drawing process and delete the temporary file."""
        self._drawing.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
            self.path.parent.rmdir()


class Printing:
    """Print job of some chats: pages, preview, print dialog, printer."""

    def __init__(
        self, app: Fireside, ui: UiContext, chats: Sequence[Conversation], *, with_thinking: bool, window: QWidget
    ) -> None:
        self._app, self._ui, self._chats, self._window = app, ui, chats, window
        self._with_thinking = with_thinking
        self._title = (chats[0].title if len(chats) == 1 else "") or tr(CHATS)

    def show_pages(self) -> tasks.BackgroundTask:
        """Render the pages to a temporary PDF, then show the preview."""
        from app.features.media import passing_name
        from app.ui.paper.printed_chats import export_pdf

        make_folder(self._app.paths.documents)
        # Named so that the next start removes it, should this one crash.
        path = Path(mkdtemp(prefix=passing_name(), dir=self._app.paths.documents)) / "pages.pdf"

        def work(token: CancelToken) -> Iterator[object]:
            yield from export_pdf(path, self._chats, self._app.shelf, token, with_thinking=self._with_thinking)

        def then(event: ExportFinished) -> None:
            if event.is_cancelled:
                with suppress(OSError):
                    path.parent.rmdir()
                return
            name = visible_name(self._title)
            pages = PrintedPages(path, event.pages, name, self._app.paths.documents)
            preview = PrintPreview(self._ui, pages, self._window, print_pages=self.ask)
            preview.open()

        return run_in_sight(self._ui, work, tr("Laying out the pages"), _progress_of, then)

    def ask(self) -> QPrintDialog:
        """Open Qt's print dialog, modal to the window; printing follows its acceptance."""
        # Qt's printing library is loaded for printing only.
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter

        from app.ui.paper.sheets import page_layout

        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setDocName(visible_name(self._title))
        printer.setPageLayout(page_layout())
        dialog = QPrintDialog(printer, self._window)
        dialog.setObjectName("print_dialog")
        dialog.setWindowTitle(window_title(tr("Print")))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(QPrintDialog.PrintDialogOption.PrintPageRange)
        dialog.accepted.connect(lambda: self.print(printer))
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.show()
        return dialog

    def print(self, printer: QPrinter) -> tasks.BackgroundTask:
        """Render again for the chosen printer, whose paper may differ from the preview's."""
        from app.ui.paper.printed_chats import PrintCancelled, print_chats

        def work(token: CancelToken) -> Iterator[object]:
            try:
                yield from print_chats(
                    printer,
                    self._chats,
                    self._app.shelf,
                    token,
                    with_thinking=self._with_thinking,
                    # 0 stands for all pages
                    only=(printer.fromPage(), printer.toPage()) if printer.fromPage() else None,
                )
            except PrintCancelled:
                # Otherwise the pages so far would be printed.
                printer.abort()
                yield ExportFinished(0, 0, is_cancelled=True)
            except OSError:
                yield NOT_PRINTED
            else:
                yield ExportFinished(len(self._chats), 0)

        def then(event: ExportFinished | PersonMessage) -> None:
            if isinstance(event, PersonMessage):
                self._ui.notify.show_notice(event)
            # The dialog also prints into a file.
            elif not event.is_cancelled and printer.outputFileName():
                self._ui.notify.saved(Path(printer.outputFileName()))
            elif not event.is_cancelled:
                self._ui.notify.mention(tr("“{title}” was sent to the printer.", title=self._title))

        return run_in_sight(self._ui, work, tr("Printing {title}", title=self._title), _progress_of, then)


class PrintPreview(Dialog):
    """Preview of one page at a time, with the keys of the document view."""

    def __init__(
        self, ui: UiContext, pages: PrintedPages, parent: QWidget, *, print_pages: Callable[[], object]
    ) -> None:
        super().__init__(parent)
        self._print_pages = print_pages
        theme = ui.theme
        self._pages = pages
        self.page = 0
        self.set_up_window("print_preview", tr("Print “{title}”", title=pages.name))
        self.pane = PagePane(theme, ui.notify)
        self.pane.set_document(pages)
        self.pane.area.turn_wanted.connect(self.turn)
        # More than there are: `turn` stops at the first and the last.
        self.pane.area.end_wanted.connect(lambda side: self.turn(side * pages.pages))
        self._where = theme.dress(plain_label(kind="muted"), font="row")
        glyphs = ("caret-right", "caret-left") if self.isRightToLeft() else ("caret-left", "caret-right")
        self._before = IconButton(theme, glyphs[0], tr("Previous page"), on_click=lambda: self.turn(-1))
        self._next = IconButton(theme, glyphs[1], tr(NEXT_PAGE), on_click=lambda: self.turn(1))
        print_button, close = text_button(tr("Print…"), "primary"), text_button(tr("Close"), "quiet")
        print_button.setDefault(True)
        print_button.clicked.connect(self._on_print)
        close.clicked.connect(self.reject)
        row = theme.dress(QHBoxLayout(), spacing=8)
        for widget in (self._before, self._where, self._next):
            row.addWidget(widget)
        fill_layout(row, 1, close, print_button)
        theme.dress(fill_layout(QVBoxLayout(self), (self.pane, 1), row), margins=(16, 14, 16, 14), spacing=12)
        name_widgets(page_before=self._before, page_after=self._next, print_pages=print_button, close_preview=close)
        self.resize(within_screen(self, QSize(theme.px(PREVIEW_PX), theme.px(PREVIEW_HEIGHT_PX))))
        self.turn(1)
        # For the keys that scroll and turn pages.
        self.pane.area.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def where(self) -> str:
        """Position as shown, such as "Page 1 of 3"."""
        return self._where.text()

    def turn(self, steps: int) -> None:
        """Turn pages, stopping at the first and the last."""
        self.page = max(1, min(self._pages.pages, self.page + steps))
        self._where.setText(tr("Page {page} of {count}", page=self.page, count=self._pages.pages))
        self._before.setEnabled(self.page > 1)
        self._next.setEnabled(self.page < self._pages.pages)
        self.pane.show_page(self.page)
        # A page that is turned back to is shown from its end, as if it had been scrolled to.
        self.pane.area.verticalScrollBar().setValue(0 if steps > 0 else self.pane.area.verticalScrollBar().maximum())

    def done(self, result: int) -> None:
        # A page that is being drawn needs the file, which is deleted next.
        self.pane.set_document(None)
        self._pages.close()
        super().done(result)

    def _on_print(self) -> None:
        self.accept()
        self._print_pages()


def _progress_of(words: str, event: object) -> NoticeProgress | None:
    """Return the progress of an export or print event; None for other events."""
    if not isinstance(event, ExportProgress):
        return None
    done, total = format_number(event.done), format_number(event.total)
    text = tr("{words}: {done} of {total} messages", words=words, done=done, total=total)
    return NoticeProgress(text, event.done, event.total)
