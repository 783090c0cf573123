"""What stays in sight below a repository: the chosen file, whether it fits here, and Download."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from app.features import chat
from app.features.model_estimate import TOO_LARGE, Fit, fit_words, pace_words
from app.hub.files import ModelFile, RemoteFile
from app.ui.icons import icon
from app.ui.models.file_list import file_words
from app.ui.shell.i18n import size_text, tr
from app.ui.shell.model_loader import in_words
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.fields import CheckRow
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.layouts import name_widgets


class FitFoot(QFrame):
    """Shows; what is asked or fetched is the page's business."""

    download_wanted = Signal()
    exact_wanted = Signal()
    retry_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("fit_foot")
        self._model: ModelFile | None = None
        self._vision: RemoteFile | None = None
        self._mark = ""
        self.name = ElidedLabel()
        self._glyph = QLabel()
        self.fit = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.exact = text_button(tr("Measure exactly"), "link")
        self.exact.setToolTip(tr("Reads the beginning of the file and works out what the model really needs"))
        self.exact.clicked.connect(self.exact_wanted)
        self.retry = text_button(tr("Try again"), "link")
        self.retry.clicked.connect(self.retry_wanted)
        self.vision: CheckRow | None = None
        self.download = text_button(tr("Download"), "primary")
        self.download.clicked.connect(self.download_wanted)
        self._fit_row = QHBoxLayout()
        self._fit_row.addWidget(self._glyph)
        self._fit_row.addWidget(self.fit, 1)
        self._words = QVBoxLayout()
        self._words.addWidget(self.name)
        self._words.addLayout(self._fit_row)
        self._upper = QHBoxLayout()
        self._upper.addLayout(self._words, 1)
        for button in (self.exact, self.retry, self.download):
            self._upper.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._upper)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(
            file_name=self.name,
            file_fit=self.fit,
            measure=self.exact,
            ask_again=self.retry,
            download_file=self.download,
        )

    @property
    def with_vision(self) -> bool:
        """Whether the picture file is taken along."""
        return self.vision is not None and self.vision.isChecked()

    def offer_vision(self, file: RemoteFile | None) -> None:
        """The picture file of another repository, to be taken along unless a person says otherwise."""
        if self.vision is not None:
            self._column.removeWidget(self.vision)
            self.vision.hide()
            self.vision.deleteLater()
        self._vision, self.vision = file, None
        if file is None or not chat.TAKES_PICTURES:
            return
        self.vision = CheckRow(self._theme, tr("With pictures, +{size}", size=size_text(file.size_bytes)))
        self.vision.setToolTip(tr("The file {name} lets it look at pictures", name=file.name))
        self.vision.setChecked(True)
        self.vision.toggled.connect(self._on_vision)
        self._column.addWidget(self.vision)
        self.vision.setMaximumWidth(self.vision.fontMetrics().horizontalAdvance(self.vision.accessibleName()) + 80)

    def show_file(self, model: ModelFile) -> None:
        """Another file is chosen; nothing is known of its fit."""
        self._model = model
        words, tag = file_words(model)
        self.name.setText(f"{words} ({tag})" if tag and tag != words else words)
        self.show_text("")
        self._on_vision()

    def show_text(self, text: str, *, can_retry: bool = False) -> None:
        """A sentence in place of the fit."""
        self._say(text, "muted", "")
        set_mark(self.download, "kind", "primary")
        self.exact.hide()
        self.retry.setVisible(can_retry)

    def show_fit(self, fit: Fit) -> None:
        """Whether it fits, with its number."""
        words = in_words(fit_words(fit))
        if fit.is_exact:
            words = tr("{fit} · measured", fit=words)
        pace = pace_words(fit)
        if pace is not None:
            words = f"{words} · {in_words(pace)}"
        tone = "success" if fit.runs_well else "muted" if fit.is_usable else "warning"
        self._say(words, tone, "triangle-fill" if tone == "warning" else "circle-fill")
        # The one button in the accent's colour leads nobody to what cannot run here.
        set_mark(self.download, "kind", "plain" if fit.word == TOO_LARGE else "primary")
        self.exact.setVisible(not fit.is_exact)
        self.retry.hide()

    def show_download(self, state: str) -> None:
        """What the queue says of this file: "", its state, or done."""
        waits = {"queued": tr("In Downloads"), "running": tr("Downloading"), "paused": tr("Paused in Downloads")}
        text = waits.get(state) or (tr("On this computer") if state == "done" else "")
        self.download.setEnabled(not text)
        if self.vision is not None:
            self.vision.setEnabled(not text)
        self._name_download(text)

    def _on_vision(self) -> None:
        if self.download.isEnabled():
            self._name_download("")

    def _name_download(self, text: str) -> None:
        if not text and self._model is not None:
            more = self._vision.size_bytes if self._vision is not None and self.with_vision else 0
            text = tr("Download {size}", size=size_text(self._model.size_bytes + more))
        self.download.setText(text)
        self.download.setAccessibleName(text)

    def _say(self, text: str, token: str, glyph: str) -> None:
        self._mark = glyph
        self.fit.setText(text)
        self.fit.setAccessibleName(text)
        set_mark(self.fit, "tone", token)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        theme, px = self._theme, self._theme.px
        token = str(self.fit.property("tone") or "muted")
        edge = px(12)
        self._glyph.setVisible(bool(self._mark))
        if self._mark:
            picture = icon(self._mark, getattr(theme.tokens, token), edge)
            self._glyph.setPixmap(picture.pixmap(QSize(edge, edge), self.devicePixelRatio()))
        self.name.setFont(theme.font(14.5, 600))
        self.fit.setFont(theme.font(13.5, 600 if self._mark else 400))
        for button in (self.exact, self.retry):
            button.setFont(theme.font(13.5, 500))
        self.download.setFont(theme.font(14, 600))
        self._column.setContentsMargins(px(40), px(12), px(40), px(10))
        self._column.setSpacing(px(6))
        self._words.setSpacing(px(3))
        self._upper.setSpacing(px(12))
        self._fit_row.setSpacing(px(7))
