"""Fixed foot of a repository: chosen file, fit, Download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.features.models.estimate import TOO_LARGE, MemoryFit, fit_words, pace_words
from app.hub.model_files import ModelFile, RemoteFile
from app.ui.i18n import size_text, tr
from app.ui.models.fit_column import fit_token
from app.ui.models.repository_files import file_words
from app.ui.shared_labels import DOWNLOAD, DOWNLOAD_SIZE, ON_THIS_COMPUTER, TRY_AGAIN
from app.ui.shell.model_loader import in_words
from app.ui.theme import EDGE_PX, Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.input_fields import CheckRow
from app.ui.widgets.labels import ElidedLabel, plain_label, plain_tip
from app.ui.widgets.layouts import FoldingRow, drop_margins, fill_layout, name_widgets

if TYPE_CHECKING:
    from app.hub.download import Download


FIT_MEASURED = "{fit} · measured"
WITH_PICTURES = "With picture support, +{size}"
IN_DOWNLOADS = "In Downloads"
DOWNLOADING_PERCENT = "Downloading, {percent} %"


class FitFoot(QFrame):
    """Foot with fit and download button; requests are made by the page."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("fit_foot")
        self._model: ModelFile | None = None
        self._vision: RemoteFile | None = None
        self._mark = ""
        self.name = theme.dress(ElidedLabel(), font="section")
        self._glyph = QLabel()
        self.fit = plain_label(wraps=True)
        self.exact = text_button(tr("Measure exactly"), "link")
        self.exact.setToolTip(tr("Read the start of the file to calculate the memory it needs"))
        self.retry = text_button(tr(TRY_AGAIN), "link")
        self.vision: CheckRow | None = None
        self.download = theme.dress(text_button(tr(DOWNLOAD), "primary"), font="control")
        self._fit_row = theme.dress(fill_layout(QHBoxLayout(), self._glyph, (self.fit, 1)), spacing=7)
        words, upper = QWidget(), QWidget()
        theme.dress(fill_layout(drop_margins(QVBoxLayout(words)), self.name, self._fit_row), spacing=3)
        theme.dress(fill_layout(FoldingRow(upper), words, self.exact, self.retry, self.download), spacing=12)
        self._column = theme.dress(fill_layout(QVBoxLayout(self), upper), margins=(EDGE_PX, 12, EDGE_PX, 10), spacing=6)
        theme.dress(self.exact, self.retry, font="control")
        self._show_mark("muted")
        name_widgets(
            file_name=self.name,
            file_fit=self.fit,
            measure=self.exact,
            ask_again=self.retry,
            download_file=self.download,
        )

    @property
    def with_vision(self) -> bool:
        """True if the vision file is to be downloaded too."""
        return self.vision is not None and self.vision.isChecked()

    def offer_vision(self, file: RemoteFile | None) -> None:
        """Offer to download the vision file too; ticked by default."""
        if self.vision is not None:
            self._column.removeWidget(self.vision)
            self.vision.hide()
            self.vision.deleteLater()
        self._vision, self.vision = file, None
        if file is None:
            return
        self.vision = CheckRow(self._theme, tr(WITH_PICTURES, size=size_text(file.size_bytes)))
        self.vision.setToolTip(plain_tip(tr("The file {name} lets the model see pictures", name=file.name)))
        self.vision.setChecked(True)
        self.vision.toggled.connect(self._on_vision)
        self._column.addWidget(self.vision)
        self.vision.setMaximumWidth(self.vision.fontMetrics().horizontalAdvance(self.vision.accessibleName()) + 80)

    def show_file(self, model: ModelFile) -> None:
        """Show a newly chosen file, whose fit isn't known yet."""
        self._model = model
        words, tag = file_words(model)
        self.name.setText(f"{words} ({tag})" if tag and tag != words else words)
        self.show_text("")
        self._on_vision()

    def show_text(self, text: str, *, can_retry: bool = False) -> None:
        """Show a sentence instead of the fit."""
        self._show_fit(text, "muted", "")
        set_mark(self.download, "kind", "primary")
        self.exact.hide()
        self.retry.setVisible(can_retry)

    def show_fit(self, fit: MemoryFit) -> None:
        """Show whether the file fits, with the memory needed."""
        words = in_words(fit_words(fit))
        if fit.is_exact:
            words = tr(FIT_MEASURED, fit=words)
        if (pace := pace_words(fit)) is not None:
            words = f"{words} · {in_words(pace)}"
        tone = fit_token(fit)
        self._show_fit(words, tone, "triangle-fill" if tone == "warning" else "circle-fill")
        # The accent colour is for files that can run here.
        set_mark(self.download, "kind", "plain" if fit.word == TOO_LARGE else "primary")
        self.exact.setVisible(not fit.is_exact)
        self.retry.hide()

    def show_download(self, download: Download | None) -> None:
        """Show the file's download state; None if it isn't in the queue."""
        state = download.state if download is not None else ""
        running = tr("Downloading")
        if download is not None and download.total_bytes:
            percent = int(100 * download.done_bytes / download.total_bytes)
            running = tr(DOWNLOADING_PERCENT, percent=percent)
        waits = {"queued": tr(IN_DOWNLOADS), "running": running, "paused": tr("Paused in Downloads")}
        text = waits.get(state) or (tr(ON_THIS_COMPUTER) if state == "done" else "")
        self.download.setEnabled(not text)
        if self.vision is not None:
            self.vision.setEnabled(not text)
        self._name_download(text)

    def _on_vision(self) -> None:
        # A disabled button says what became of the download; these words stay.
        if self.download.isEnabled():
            self._name_download("")

    def _name_download(self, text: str) -> None:
        if not text and self._model is not None:
            more = self._vision.size_bytes if self._vision is not None and self.with_vision else 0
            text = tr(DOWNLOAD_SIZE, size=size_text(self._model.size_bytes + more))
        self.download.setText(text)
        self.download.setAccessibleName(text)

    def _show_fit(self, text: str, token: str, glyph: str) -> None:
        self._mark = glyph
        self.fit.setText(text)
        self.fit.setAccessibleName(text)
        set_mark(self.fit, "tone", token)
        self._show_mark(token or "muted")

    def _show_mark(self, token: str) -> None:
        self._glyph.setVisible(bool(self._mark))
        if self._mark:
            self._theme.dress(self._glyph, picture=(self._mark, token, 12))
        self._theme.dress(self.fit, font="group" if self._mark else "small")
