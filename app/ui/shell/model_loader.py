"""Loading of the chat model in the background, with progress, keeping the old model if it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.events import LoadProgress, ModelElsewhere, ModelLoaded
from app.core.paths import runs_elsewhere, starter_model
from app.features.error_messages import message_of_words
from app.features.models.model_messages import NOT_REACHED, MessageTemplate, surprise_words, trying_words
from app.features.models.model_names import display_name
from app.ui.i18n import sentence_for, tr
from app.ui.shared_labels import STARTER
from app.ui.shell import tasks
from app.ui.shell.notify import Notify, StandingNotice

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.engine.contract import WakingEvent


def model_name(path: Path) -> str:
    """Return the default display name of a model file; a name given by the user comes from `Fireside.name_of`."""
    return tr(STARTER) if path == starter_model() else display_name(path)


def in_words(words: MessageTemplate) -> str:
    """Translate what features say about a model and fill in its values."""
    return str(words)


class ModelLoader(QObject):
    """Tracks and changes which chat model is loaded: its `path`, and its state `asleep`, `loading`, `ready` or
    `failed`.
    """

    changed = Signal()
    _waking = Signal(object)
    """From the thread that wakes a sleeping model or loads a chat's own: a `WakingEvent`."""

    def __init__(self, app: Fireside, notify: Notify, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app, self._notify = app, notify
        self._task: tasks.BackgroundTask | None = None
        self.state = "asleep"
        self.path: Path | None = app.model_path()
        self.fraction = 0.0
        self.step = ""
        self.model: ModelLoaded | None = None
        self._notices = LoadingTold(notify)
        self._unreached = UnreachedModel(app, notify)
        self._sleeps_until_sent = False
        self._is_expected = False
        self._brought_in_place_of: Path | None = None
        """Model that was loaded before a chat's own one, while that is loading; restored if it fails."""
        self._has_begun = False
        self._is_for_one = False
        """True if the model was loaded for one chat that overrides it."""
        self._waking.connect(self._on_waking)
        # Both are called on threads of the engine and of answers.
        app.on_waking, app.usual_model = self._waking.emit, self._usual_model

    @property
    def name(self) -> str:
        return tr(self._app.names.name_of(self.path)) if self.path else tr("No model")

    @property
    def stand_in(self) -> Path | None:
        """Model that a job has temporarily loaded in place of `path` and that answers meanwhile; None otherwise."""
        loaded = Path(self.model.path) if self.model is not None and self.state == "ready" else None
        return loaded if loaded != self.path else None

    def start(self) -> None:
        starter = starter_model()
        if self.path is None:
            self.changed.emit()
        elif starter is not None and not self._is_for_one and self._unreached.begin(self.path):
            self._load(starter, fall_back=None, remember=False)
            # Whatever chats want is the chosen model, as soon as it is there.
            self._is_for_one = True
        else:
            self.load(self.path, is_for_one=self._is_for_one)

    def stand_by(self, path: Path | None) -> None:
        """Set which model the first load takes: the override of the chat that is shown, or None for the common
        model.
        """
        if self._has_begun:
            return
        wanted = path or self._app.model_path()
        self._is_for_one = path is not None
        if wanted != self.path:
            self.path = wanted
            self.changed.emit()

    def load(self, path: Path, *, is_for_one: bool = False) -> None:
        """Load a model. Once loaded, it becomes the default for all chats unless `is_for_one`."""
        # What is loaded or asleep now; after a failure that is nothing, so the starter.
        before = starter_model() if self.state == "failed" else self.path
        self._load(path, fall_back=before if before != path else None, remember=not is_for_one)
        self._is_for_one = is_for_one

    def reload(self) -> None:
        """Load the same model again to apply changed settings."""
        if self.path is not None:
            self._load(self.path, fall_back=None, remember=False)

    @property
    def is_away(self) -> bool:
        """True if the server that runs the model was unreachable at the last request."""
        return self.state == "ready" and self._app.engine.is_away

    @property
    def wakes_up(self) -> bool:
        """True if the next message reloads the model."""
        return self._app.is_asleep

    @property
    def can_cancel(self) -> bool:
        """True if `cancel` has an effect. A model woken by a message is stopped with its answer instead."""
        return self._task is not None

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def sleep(self, *, until_sent: bool = False) -> None:
        """Free the model's memory; the next message or `wake` reloads it, without `until_sent` also typing one."""
        # A model elsewhere takes no memory here.
        if self.state != "ready" or isinstance(self.model, ModelElsewhere):
            return
        tasks.run(
            lambda _: _run_once(self._app.engine.sleep),
            self,
            on_end=self.sync_with_engine,
            on_failed=self._notify.error,
        )
        self._sleeps_until_sent = until_sent
        # Said at once; the end of the task corrects it where the engine went on.
        self._set("asleep", None)

    def wake(self, *, for_text: bool = False) -> None:
        """Reload a sleeping model now, so that the first request doesn't wait for it.

        `for_text`: only one that went idle, since a message is being typed; it is ready once that is sent.
        """
        if for_text and not (self.wakes_up and self._app.pool.chat.asleep_path == self.path):
            return
        if self.state == "asleep" and not (for_text and self._sleeps_until_sent):
            self.reload()

    def expect(self) -> None:
        """Show a sleeping model as loading because an answer begins, whichever component reloads it."""
        if self._task is None and self.state == "asleep" and self.path is not None:
            self.fraction, self._is_expected = 0.0, True
            self._set("loading", None)
            self.look_during_answer()

    def look_during_answer(self) -> None:
        """Update the state once the first output of an answer shows that the expected model is loaded."""
        if self._is_expected and self._app.loaded is not None:
            self.sync_with_engine()

    def sync_with_engine(self) -> None:
        """Update the state from the engine, whose child process may have ended or been restarted during an answer."""
        # While a load runs here, its own events tell the state.
        if self._task is None and (self.state in ("ready", "asleep") or self._is_expected):
            self._is_expected = False
            loaded = self._app.loaded
            self._set("asleep" if loaded is None else "ready", loaded or self.model)

    def _usual_model(self) -> Path | None:
        chosen = self._app.model_path()
        if not self._is_for_one or self._task is not None or self.path == chosen:
            return None
        return chosen if not self._unreached.is_away(chosen) else None

    def _load(self, path: Path, *, fall_back: Path | None, remember: bool) -> None:
        before, self._has_begun = self.path, True
        if self._task is not None:
            self._task.cancel()
        seat = self._app.pool.seat
        task = tasks.run(
            lambda token: seat.load_model(path, token),
            self,
            on_event=lambda event: self._on_event(task, event),
            on_end=lambda: self._on_finished(task, before, remember=remember),
            on_failed=lambda error: self._on_failed(task, error, fall_back, before),
        )
        self._task, self.path, self.fraction = task, path, 0.0
        self._set("loading", None)

    def _on_event(self, task: tasks.BackgroundTask, event: object) -> None:
        # The cause comes after what it led to.
        if task is not self._task:
            return
        if isinstance(event, LoadProgress):
            self._show_progress(event)
        elif isinstance(event, ModelLoaded):
            self.model = event
            self._notices.forget()

    def _on_waking(self, event: WakingEvent) -> None:
        if self._task is not None:
            return  # another model was chosen meanwhile
        if isinstance(event, Path):
            self._brought_in_place_of = self.path
            self.path, self.fraction, self._is_for_one, self._has_begun = event, 0.0, True, True
            self._set("loading", None)
        elif isinstance(event, LoadProgress):
            if self.state != "loading":
                self.fraction = 0.0
                self._set("loading", None)
            self._show_progress(event)
        else:
            self._on_woken(event)

    def _on_woken(self, model: ModelLoaded | None) -> None:
        """Update the state after the model was reloaded on demand; None if that failed and the loaded one stays."""
        before, self._brought_in_place_of = self._brought_in_place_of, None
        if before is not None and model is None:
            self.path, model = before, self._app.loaded
        elif before is not None and self.path is not None:
            with self._notify.guard():
                self._app.models.mark_used(self.path)
        self._set("ready" if model else "asleep", model)

    def _show_progress(self, event: LoadProgress) -> None:
        # Whatever shows progress is drawn again: once for each percent is enough.
        moved = int(event.fraction * 100) != int(self.fraction * 100) or event.step != self.step
        if event.step and event.step != self.step:
            self._notices.tell_step(event.step)
        self.fraction, self.step = event.fraction, event.step
        if moved:
            self.changed.emit()

    def _on_finished(self, task: tasks.BackgroundTask, before: Path | None, *, remember: bool) -> None:
        if task is not self._task:
            return
        self._task = None
        # Stopped: whatever the engine still holds is what there is.
        if self.model is None:
            loaded = self._app.loaded
            self.path = Path(loaded.path) if loaded else before or self.path
            self._set("ready" if loaded else "asleep", loaded)
            return
        if self.path is not None:
            with self._notify.guard():
                if remember:
                    self._app.models.choose_model("chat", self.path)
                self._app.models.mark_used(self.path)
        self._set("ready", self.model)

    def _on_failed(
        self, task: tasks.BackgroundTask, error: BaseException, fall_back: Path | None, before: Path | None
    ) -> None:
        if task is not self._task:
            return
        failed_path, self._task = self.path, None
        assert failed_path is not None
        can_retry = sentence_for(error).action == "retry"
        self._notify.error(error, action=(lambda: self.load(failed_path)) if can_retry else None)
        # The file was refused before the old model was unloaded.
        if (loaded := self._app.loaded) is not None:
            self.path = before or Path(loaded.path)
            self._set("ready", loaded)
        elif fall_back is not None:
            self._is_for_one = False
            self._load(fall_back, fall_back=None, remember=False)
        else:
            self.path = before or failed_path
            self._set("failed", None)

    def _set(self, state: str, model: ModelLoaded | None) -> None:
        self._is_expected = self._is_expected and state == "loading"
        self.state, self.model, self.step = state, model, ""
        self._notices.end()
        if state == "ready" and model is not None:
            self._notices.tell_surprise(model)
            self._unreached.end_for(self.path)
        self.changed.emit()


class UnreachedModel:
    """Tells that the chosen model's file isn't there, on an unplugged disk as a rule, and which model answers."""

    def __init__(self, app: Fireside, notify: Notify) -> None:
        self._app, self._notice = app, StandingNotice(notify)
        self._path: Path | None = None

    def begin(self, path: Path) -> bool:
        """Return whether the starter has to answer for a model, which is then said."""
        if str(path) != self._app.settings.engine.model_path or runs_elsewhere(path) or path.is_file():
            return False
        self._path = path
        values = {"name": tr(self._app.names.name_of(path)), "starter": tr(STARTER)}
        self._notice.show_sentence(replace(NOT_REACHED, values=values))
        return True

    def is_away(self, path: Path | None) -> bool:
        """Return whether a model is the one that was told, and still not there."""
        return path is not None and path == self._path and not path.is_file()

    def end_for(self, loaded: Path | None) -> None:
        """Forget it once the model that is chosen now is loaded."""
        if self._path is not None and loaded == self._app.model_path():
            self._path = None
            self._notice.end()


class LoadingTold:
    """Tells the user how loading proceeds: the current attempt while it lasts, then any outcome that differs from the
    settings.
    """

    def __init__(self, notify: Notify) -> None:
        self._notify, self._trying = notify, StandingNotice(notify)
        self._surprise = ""

    def tell_step(self, step: str) -> None:
        """Show the current attempt, a step as in `LoadProgress`."""
        self._trying.show_sentence(message_of_words(str(trying_words(step))))

    def tell_surprise(self, model: ModelLoaded) -> None:
        """Show that the model was loaded differently than set, once for each load by the user, not at every wake-up."""
        words = surprise_words(model)
        text = in_words(words) if words is not None else ""
        if text and text != self._surprise:
            self._notify.show_notice(message_of_words(text, "settings"))
        self._surprise = text

    def forget(self) -> None:
        """Forget the last surprise because the user loaded another model."""
        self._surprise = ""

    def end(self) -> None:
        """Remove the notice about the current attempt."""
        self._trying.end()


def _run_once(do: Callable[[], object]) -> Iterator[object]:
    """Wrap a single call as the iterator that a task expects."""
    do()
    yield from ()
