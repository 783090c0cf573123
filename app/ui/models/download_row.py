"""One download as a card: what it does, how far it is, and what can be done with it now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal

from app.features.messages import sentence_for
from app.hub.files import quantization, quantization_words
from app.ui.models.download_texts import join, problem_words, state_words
from app.ui.models.model_card import ModelCard
from app.ui.shell.i18n import tr
from app.ui.shell.notify import ACTION_LABELS
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.hub.downloads import Download

_BUTTONS = {
    "queued": ("pause", "cancel"),
    "running": ("pause", "cancel"),
    "paused": ("resume", "cancel"),
    "failed": ("retry", "act", "cancel"),
    "done": ("use", "remove"),
}


_ACTIONS = ("network", "storage")


class DownloadRow(ModelCard):
    """Says which button was pressed; `wanted` holds its name: pause, resume, retry, act, cancel, remove or use."""

    wanted = Signal(str)

    def __init__(self, theme: Theme, download: Download) -> None:
        super().__init__(theme, download.request.title)
        self.id, self.state, self.action = download.id, "", ""
        for key, text, kind in (
            ("use", tr("Use in chat"), "plain"),
            ("pause", tr("Pause"), "quiet"),
            ("resume", tr("Resume"), "plain"),
            ("act", "", "plain"),
            ("retry", tr("Try again"), "plain"),
            ("cancel", tr("Cancel"), "quiet"),
            ("remove", tr("Remove from list"), "quiet"),
        ):
            self.add_button(key, text, partial(self.wanted.emit, key), kind)
        self.align_buttons("pause", "resume", "retry")
        self.key_pressed.connect(self._on_key)
        self.show_download(download)

    def show_download(self, download: Download) -> None:
        """The state as it is now; a button that stays keeps its focus."""
        self.show_words(facts=state_words(download), source=what_words(download), problem=problem_words(download))
        begun = download.done_bytes > 0 or download.state == "running"
        self.progress.setVisible(download.state != "done" and begun)
        self.progress.setAccessibleName(tr("Download of {name}", name=download.request.title))
        self.progress.show_share(download.done_bytes, download.total_bytes)
        if download.state != self.state:
            self.state = download.state
            self.action = sentence_for(download.error).action if download.error is not None else ""
            label = tr(ACTION_LABELS[self.action]) if self.action in _ACTIONS else ""
            self.buttons["act"].setText(label)
            self.buttons["act"].setAccessibleName(label)
            self.show_buttons(*(key for key in _BUTTONS[download.state] if key != "act" or label))
            self.show_badge(tr("Downloaded") if download.state == "done" else "", "success")

    def _on_key(self, key: int) -> None:
        keys = {Qt.Key.Key_Return.value: 0, Qt.Key.Key_Delete.value: -1}
        if key in keys:
            self.wanted.emit(_BUTTONS[self.state][keys[key]])


def what_words(download: Download) -> str:
    """What is fetched: from where, in which quantization, with what beside it."""
    request = download.request
    tag = quantization(request.files[0].name) if request.files else ""
    words = quantization_words(tag) if tag else ""
    kind = f"{words} ({tag})" if words and tag else tag
    parts = tr("{count} parts", count=len(request.files)) if len(request.files) > 1 else ""
    return join(kind, parts, tr("with its vision file") if request.vision else "", request.repo)
