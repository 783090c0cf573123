"""The three models that suit this computer best for a task, with what they need and what they will do here."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton

from app.core.errors import EnvironmentProblem
from app.core.paths import starter_model
from app.features.messages import sentence_for
from app.features.models.estimate import TOO_LARGE, download_words, fit_words, pace_words
from app.hub.files import quantization, quantization_words
from app.ui.i18n import size_text, tr
from app.ui.model_texts import join, problem_words, senses_words, state_words
from app.ui.models.page import ModelCard, ModelsPage
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.fields import Segments

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.collection import Suggestion
    from app.hub.catalog import Entry
    from app.hub.download import Download

LIMIT = 3
_TASKS = (("chat", "Chat"), ("summarize", "Summarize"), ("translate", "Translate"))
_USE = {"chat": "Use in chat", "summarize": "Use to summarize", "translate": "Use to translate"}


class SuggestedPage(ModelsPage):
    """Nothing is fetched without a click; a download that runs shows on its card."""

    use_wanted = Signal(str, object)
    """A task, and the path of a model."""
    details_wanted = Signal(str)
    """The name of a repository."""
    downloads_changed = Signal()

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(ui.theme, tr("Models for this computer"))
        self._app, self._notify, self._loader = app, ui.notify, ui.loader
        self._task = "chat"
        self._suggestions: list[Suggestion] = []
        self._by_id: dict[str, ModelCard] = {}
        self._in_use: Path | None = None
        self._states: dict[int, str] = {}
        self._looking: dict[str, tasks.Task] = {}
        choices = [(task, tr(word)) for task, word in _TASKS]
        self.segments = Segments(tr("Models for"), choices, self._task, self.show_task)
        self.top.addWidget(self.segments, 0, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)
        self.say(self.empty, tr("Looking at this computer…"))
        ui.loader.changed.connect(self._on_loader_changed)
        ui.theme.dress(*self.segments.findChildren(QPushButton), font=(13, 500))
        self._say_lead()

    def show_task(self, task: str) -> None:
        """Other suggestions: for chat, summarize or translate."""
        self._task = task
        self.reload()

    def reload(self) -> tasks.Task:
        """Asks again what suits, on a thread: memory and downloads change."""
        task, models = self._task, self._app.models
        work = self.ask_anew(lambda _: (models.suggestions(task, LIMIT), models.for_task(task)), self._show)
        work.failed.connect(self._notify.error)
        return work

    def show_change(self, download: Download) -> None:
        """A download moved on; its card shows it, and only a new state asks again what there is."""
        is_new_state = self._states.get(download.id) != download.state
        self._states[download.id] = download.state
        for suggestion in self._suggestions:
            known = suggestion.download
            if known is not None and known.id == download.id and known.state == download.state:
                self._show_download(self._by_id[suggestion.entry.id], download)
                return
        if is_new_state:
            self.reload()

    def _show(self, answer: tuple[list[Suggestion], Path | None]) -> None:
        suggestions, self._in_use = answer
        ids = [suggestion.entry.id for suggestion in suggestions]
        self._suggestions = suggestions
        if ids != list(self._by_id):
            self.clear_rows()
            self._by_id = {}
            for suggestion in suggestions:
                card = self._card(suggestion.entry)
                self._by_id[suggestion.entry.id] = card
                self.rows.addWidget(card)
        first = next((one.entry.id for one in suggestions if can_download(one)), "")
        for suggestion in suggestions:
            self._fill(self._by_id[suggestion.entry.id], suggestion, is_first=suggestion.entry.id == first)
        self.say(self.empty, "" if suggestions else tr("No suggestions. Search the Hub for a model."))
        self.say(self.foot, tr(_FOOT) if suggestions else "")
        self._say_lead()

    def _card(self, entry: Entry) -> ModelCard:
        card = ModelCard(self._theme, entry.name)
        size = size_text(entry.size_bytes)
        for key, text, kind in (
            ("download", tr("Download {size}", size=size), "plain"),
            ("use", tr(_USE[self._task]), "plain"),
            ("details", tr("Details"), "plain"),
            ("pause", tr("Pause"), "quiet"),
            ("resume", tr("Resume"), "plain"),
            ("retry", tr("Try again"), "plain"),
            ("cancel", tr("Cancel"), "quiet"),
        ):
            card.add_button(key, text, partial(self._on_pressed, entry.id, key), kind)
        card.align_buttons("pause", "resume", "retry")
        card.key_pressed.connect(lambda key: self._on_key(card, key))
        return card

    def _fill(self, card: ModelCard, suggestion: Suggestion, *, is_first: bool) -> None:
        """The card as the suggestion is now; only the first that can be fetched has the accent."""
        _set_kind(card, "download", "primary" if is_first else "plain")
        card.buttons["use"].setText(tr(_USE[self._task]))
        download = suggestion.download
        if download is not None and download.state != "done":
            self._show_fit(card, suggestion)
            self._show_download(card, download)
            return
        card.progress.hide()
        if suggestion.entry.id in self._looking:
            card.show_words(tr(suggestion.entry.sentence), tr("Asking the Hub for this file…"))
            card.show_buttons("cancel")
            return
        self._show_fit(card, suggestion)
        card.show_words(tr(suggestion.entry.sentence), facts_of(suggestion))
        if suggestion.installed is not None:
            is_used = suggestion.installed.path == self._used_now()
            card.show_badge(tr("In use") if is_used else tr("On this computer"), "success" if is_used else "muted")
            card.show_buttons(*(() if is_used else ("use",)))
        else:
            card.show_buttons("download" if can_download(suggestion) else "details")

    def _show_fit(self, card: ModelCard, suggestion: Suggestion) -> None:
        token = "success" if suggestion.fit.runs_well else "muted" if suggestion.fit.is_usable else "warning"
        card.show_badge(in_words(fit_words(suggestion.fit)), token)

    def _show_download(self, card: ModelCard, download: Download) -> None:
        card.show_words(card.sentence.text() or "", state_words(download), problem=problem_words(download))
        card.progress.setVisible(download.done_bytes > 0 or download.state == "running")
        card.progress.setAccessibleName(tr("Download of {name}", name=card.name.text()))
        card.progress.show_share(download.done_bytes, download.total_bytes)
        main = {"paused": "resume", "failed": "retry"}.get(download.state, "pause")
        card.show_buttons(main, "cancel")

    def _used_now(self) -> Path | None:
        return self._loader.path if self._task == "chat" else self._in_use

    def _say_lead(self) -> None:
        has_starter = self._loader.path is not None and self._loader.path == starter_model()
        self.say(self.lead, tr(_STARTER) if has_starter else tr(_LEAD))

    def _on_loader_changed(self) -> None:
        if self._loader.state != "loading":
            self._say_lead()
            if self._suggestions:
                self._show((self._suggestions, self._in_use))

    def _on_key(self, card: ModelCard, key: int) -> None:
        steps = {Qt.Key.Key_Down.value: 1, Qt.Key.Key_Up.value: -1}
        if key in steps:
            self.move_focus(card, steps[key])
        elif key == Qt.Key.Key_Return.value:
            shown = [button for button in card.buttons.values() if not button.isHidden()]
            if shown:
                shown[0].click()

    def _on_pressed(self, entry_id: str, key: str) -> None:
        suggestion = next(one for one in self._suggestions if one.entry.id == entry_id)
        download = suggestion.download
        if key == "download":
            self._download(suggestion.entry)
        elif key == "details":
            self.details_wanted.emit(suggestion.entry.repo)
        elif key == "use" and suggestion.installed is not None:
            self.use_wanted.emit(self._task, suggestion.installed.path)
        elif key == "cancel" and entry_id in self._looking:
            self._looking.pop(entry_id).abandon()
            self._show((self._suggestions, self._in_use))
        elif download is not None:
            self._change(download.id, key)

    def _change(self, download_id: int, key: str) -> None:
        downloads = self._app.models.downloads
        acts = {
            "pause": downloads.pause, "resume": downloads.resume, "retry": downloads.resume, "cancel": downloads.cancel,
        }  # fmt: skip
        task = self.ask(lambda _: acts[key](download_id), lambda _: self._on_changed())
        task.failed.connect(self._notify.error)

    def _download(self, entry: Entry) -> None:
        task = self.ask(lambda token: self._app.models.download_entry(entry, token), lambda _: self._on_changed())
        self._looking[entry.id] = task
        task.finished.connect(lambda: self._on_looked(entry))
        task.failed.connect(lambda error: self._on_not_found(entry, error))
        self._show((self._suggestions, self._in_use))

    def _on_looked(self, entry: Entry) -> None:
        self._looking.pop(entry.id, None)
        self.reload()

    def _on_not_found(self, entry: Entry, error: BaseException) -> None:
        self._looking.pop(entry.id, None)
        self._show((self._suggestions, self._in_use))
        can_retry = isinstance(error, EnvironmentProblem) and sentence_for(error).action == "retry"
        self._notify.error(error, action=(lambda: self._download(entry)) if can_retry else None)

    def _on_changed(self) -> None:
        self.reload()
        self.downloads_changed.emit()


_STARTER = (
    "You are talking to the starter, a very small English model that is often wrong. "
    "One of these will serve you better."
)
_LEAD = "The best for this computer and this task, the first one first."
_FOOT = (
    "Nothing is fetched until you press Download. What a model needs is an estimate from its size; "
    "its speed is predicted from answers on this computer, or from how fast its memory is."
)


def can_download(suggestion: Suggestion) -> bool:
    """Whether a Download button makes sense: it is not here, not on its way, and can run."""
    return suggestion.installed is None and suggestion.download is None and suggestion.fit.word != TOO_LARGE


def facts_of(suggestion: Suggestion) -> str:
    """Speed, quantization, licence, languages and source in one line; the first ones matter most."""
    entry = suggestion.entry
    tag = quantization(entry.file)
    words = quantization_words(tag) if tag else ""
    pace = pace_words(suggestion.fit)
    languages = tr("{n} languages", n=entry.languages) if entry.languages > 1 else ""
    size = in_words(download_words(entry.size_bytes)) if can_download(suggestion) else size_text(entry.size_bytes)
    kind = f"{words} ({tag})" if words else tag
    senses = senses_words(sees=True, hears=entry.vision.hears) if entry.vision is not None else ""
    facts = join(in_words(pace) if pace else "", size, kind, senses, entry.license, languages, entry.repo)
    return facts[:1].upper() + facts[1:]


def _set_kind(card: ModelCard, key: str, kind: str) -> None:
    button = card.buttons[key]
    if button.property("kind") != kind:
        button.setProperty("kind", kind)
        button.style().unpolish(button)
        button.style().polish(button)
    card.set_button_font(button)
