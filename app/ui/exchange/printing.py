"""Chats on a printer: the pages as they will be, from there to Qt's own dialog, and printing on a thread.

QtPrintSupport is imported here only. The pages that are shown are those of a PDF file in the program's own folder,
drawn by the document child as those of any other; it goes when the window with them closes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.core.paths import make_folder
from app.core.visible import visible_name
from app.documents.blocks import Block
from app.documents.protocol import Draw, Drawn
from app.documents.reading import Drawing
from app.features.documents import Mark
from app.features.exchange.exporting import ExportFinished
from app.features.messages import Sentence
from app.store.conversations import Conversation
from app.ui.document.page import PagePane
from app.ui.exchange.in_sight import how_far, run_in_sight
from app.ui.i18n import tr, window_title
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import name_widgets, within_screen

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrintDialog, QPrinter

    from app.bootstrap import Fireside

WIDTH_PX, HEIGHT_PX = 620, 720
"""Of the window with the pages."""
NOT_PRINTED = Sentence("The printer takes nothing at the moment.", "Nothing was printed.")


class PrintedPages:
    """The pages of a PDF file, as what shows documents wants them."""

    unit = "page"
    pages_without_text: tuple[int, ...] = ()
    block_count = 0
    can_draw = True
    note = ""

    def __init__(self, path: Path, pages: int, name: str, folder: Path) -> None:
        self.path, self.pages, self.name = path, pages, name
        self._drawing = Drawing(folder)

    def blocks(self, first_id: int, count: int) -> list[Block]:  # noqa: ARG002
        return []

    def blocks_of_page(self, page: int) -> list[Block]:  # noqa: ARG002
        return []

    def search(self, text: str, limit: int = 1000) -> list[Mark]:  # noqa: ARG002
        return []

    def draw(self, page: int, scale: float, cancel: CancelToken) -> Iterator[Drawn]:
        return self._drawing.draw(Draw(str(self.path), page, scale), cancel)

    def close(self) -> None:
        """The child that draws ends, and the file goes."""
        self._drawing.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
            self.path.parent.rmdir()


class Printing:
    """Some chats on their way to a printer."""

    def __init__(
        self, app: Fireside, ui: UiContext, chats: Sequence[Conversation], *, with_thinking: bool, window: QWidget
    ) -> None:
        self._app, self._ui, self._chats, self._window = app, ui, chats, window
        self._with_thinking = with_thinking
        self._title = (chats[0].title if len(chats) == 1 else "") or tr("Chats")

    def show_pages(self) -> tasks.Task:
        """Makes the pages, and shows them when they are there."""
        from app.ui.paper.chats import export_pdf

        make_folder(self._app.paths.documents)
        path = Path(mkdtemp(dir=self._app.paths.documents)) / "pages.pdf"

        def work(token: CancelToken) -> Iterator[object]:
            yield from export_pdf(path, self._chats, self._app.shelf, token, with_thinking=self._with_thinking)

        def then(event: ExportFinished) -> None:
            if event.is_cancelled:
                with suppress(OSError):
                    path.parent.rmdir()
                return
            name = visible_name(self._title)
            pages = PrintedPages(path, event.pages, name, self._app.paths.documents)
            preview = PrintPreview(self._ui, pages, self._window)
            preview.print_wanted.connect(self.ask)
            preview.open()

        return self._in_sight(work, tr("Laying out the pages"), then)

    def ask(self) -> QPrintDialog:
        """Asks which printer, with Qt's own dialog."""
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

    def print(self, printer: QPrinter) -> tasks.Task:
        """Paints the pages for this printer, which may have other paper than those that were shown."""
        from app.ui.paper.chats import PrintCancelled, print_chats

        def work(token: CancelToken) -> Iterator[object]:
            try:
                yield from print_chats(
                    printer,
                    self._chats,
                    self._app.shelf,
                    token,
                    with_thinking=self._with_thinking,
                    only=(printer.fromPage(), printer.toPage()) if printer.fromPage() else None,
                )
            except PrintCancelled:
                printer.abort()
                yield ExportFinished(0, 0, is_cancelled=True)
            except OSError:
                yield NOT_PRINTED
            else:
                yield ExportFinished(len(self._chats), 0)

        def then(event: ExportFinished | Sentence) -> None:
            if isinstance(event, Sentence):
                self._ui.notify.tell(event)
            elif not event.is_cancelled and printer.outputFileName():
                self._ui.notify.saved(Path(printer.outputFileName()))
            elif not event.is_cancelled:
                self._ui.notify.mention(tr("“{title}” was sent to the printer.", title=self._title))

        return self._in_sight(work, tr("Printing {title}", title=self._title), then)

    def _in_sight(self, work: tasks.Work, words: str, then: object) -> tasks.Task:
        return run_in_sight(
            work,
            f"{words}…",
            partial(how_far, words),
            then,  # type: ignore[arg-type]
            theme=self._ui.theme,
            notify=self._ui.notify,
            parent=self._ui.window,
        )


class PrintPreview(QDialog):
    """One page at a time, as it will be on paper; the keys are those of every document."""

    print_wanted = Signal()

    def __init__(self, ui: UiContext, pages: PrintedPages, parent: QWidget) -> None:
        super().__init__(parent)
        theme = ui.theme
        self._pages = pages
        self.page = 0
        self.setObjectName("print_preview")
        self.setWindowTitle(window_title(tr("Print “{title}”", title=pages.name)))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.pane = PagePane(theme, ui.notify)
        self.pane.set_document(pages)
        self.pane.area.turn_wanted.connect(self.turn)
        self.pane.area.end_wanted.connect(lambda side: self.turn(side * pages.pages))
        self._where = plain_label(kind="muted")
        glyphs = ("caret-right", "caret-left") if self.isRightToLeft() else ("caret-left", "caret-right")
        self._before = IconButton(theme, glyphs[0], tr("Page before"))
        self._next = IconButton(theme, glyphs[1], tr("Next page"))
        self._before.clicked.connect(lambda: self.turn(-1))
        self._next.clicked.connect(lambda: self.turn(1))
        print_button, close = text_button(tr("Print…"), "primary"), text_button(tr("Close"), "quiet")
        print_button.setDefault(True)
        print_button.clicked.connect(self._on_print)
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        for widget in (self._before, self._where, self._next):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(close)
        row.addWidget(print_button)
        column = QVBoxLayout(self)
        column.addWidget(self.pane, 1)
        column.addLayout(row)
        theme.dress(column, margins=(16, 14, 16, 14), spacing=12)
        theme.dress(row, spacing=8)
        theme.dress(self._where, font=(14, 400))
        name_widgets(page_before=self._before, page_after=self._next, print_pages=print_button, close_preview=close)
        self.resize(within_screen(self, QSize(theme.px(WIDTH_PX), theme.px(HEIGHT_PX))))
        self.turn(1)
        self.pane.area.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def where(self) -> str:
        """Which page is shown."""
        return self._where.text()

    def turn(self, steps: int) -> None:
        """So many pages on; stays at the first and the last."""
        self.page = max(1, min(self._pages.pages, self.page + steps))
        self._where.setText(tr("Page {page} of {count}", page=self.page, count=self._pages.pages))
        self._before.setEnabled(self.page > 1)
        self._next.setEnabled(self.page < self._pages.pages)
        self.pane.show_page(self.page)
        self.pane.area.verticalScrollBar().setValue(0 if steps > 0 else self.pane.area.verticalScrollBar().maximum())

    def done(self, result: int) -> None:
        self.pane.set_document(None)
        self._pages.close()
        super().done(result)

    def _on_print(self) -> None:
        self.accept()
        self.print_wanted.emit()
