"""Messages to the user: notices, errors, undo, and uncaught exceptions."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal, qVersion

from app import APP_NAME, __version__
from app.core.catalogue import CountedTexts
from app.core.errors.app_error import AppError, EnvironmentProblem, to_fields
from app.core.lazy_dataclasses import dataclass
from app.features.error_messages import PersonMessage, message_of_words
from app.features.help_pages import WHATS_NEW
from app.ui.i18n import sentence_for, tr, tr_count
from app.ui.shared_labels import COPY_DETAILS, HELP, SAVED_AS, UNDO, UNDO_ALL
from app.ui.shell.desktop import copy_text, open_folder
from app.ui.theme import Theme
from app.ui.widgets.notice_bar import Notice, NoticeBar

log = logging.getLogger(__name__)

UNDO_MS = 8_000

ACTION_LABELS = {
    "open_model": "Open a model…",
    "new_chat": "New chat",
    "retry": "Try again",
    "settings": "Settings",
    "network": "Network settings",
    "servers": "Model servers",
    "models": "Models",
    "storage": "Storage",
    "open_folder": "Open folder",
    "put_back": "Undo restore…",
    "help": HELP,
    "whats_new": WHATS_NEW,
    "end": "End it",
    "take_over": "Use it here",
}

# Fields that never contain text from the user or a model. Paths are left out too: they contain user names.
_SAFE_FIELDS = {
    "reason", "exit_code", "times", "prompt_tokens", "context_tokens", "found_version", "known_version",
}  # fmt: skip
_NATIVE_LINE = re.compile(r"^(ggml|GGML|llama|Fatal Python error|  File )")

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


class Notify(QObject):
    """Shows notices in `bar`, which the window places.

    `actions` maps the names in `PersonMessage.action` to callbacks; a notice whose action is not in it has no button.
    """

    _caught = Signal(object)

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.bar = NoticeBar(theme)
        self.actions: dict[str, Callable[[], object]] = {}
        self._undos: list[_UndoOffer] = []
        self._old_hooks: tuple[Hook, Callable[[threading.ExceptHookArgs], object]] | None = None
        # Queued, because uncaught exceptions come from any thread and are shown on the UI thread.
        self._caught.connect(self.error, Qt.ConnectionType.QueuedConnection)

    def show_notice(
        self,
        sentence: PersonMessage,
        *,
        action: Callable[[], object] | None = None,
        details: str = "",
        lasts: bool = False,
        is_error: bool = False,
    ) -> Notice:
        """Show a message with its one action, and "Copy details" if there are any.

        It disappears after eight seconds, or with `lasts` when the user or the caller dismisses it.
        """
        words = str(sentence)
        notice = Notice(self._theme, words, 0 if lasts else UNDO_MS, is_error=is_error)
        on_click = action or self.actions.get(sentence.action)
        if details:
            notice.add_button(tr(COPY_DETAILS), lambda: copy_text(details), "quiet", leaves=False)
        if on_click is not None and sentence.action in ACTION_LABELS:
            notice.add_button(tr(ACTION_LABELS[sentence.action]), on_click)
        self.bar.add(notice)
        return notice

    def error(self, exc: BaseException, *, action: Callable[[], object] | None = None) -> None:
        """Show an exception as a message for the user; defects are logged too."""
        if not isinstance(exc, EnvironmentProblem):
            log.error("defect: %s", describe(exc))
        self.show_notice(sentence_for(exc), action=action, details=describe(exc), lasts=True, is_error=True)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Show any AppError raised inside and continue after the block; defects propagate."""
        try:
            yield
        except AppError as error:
            self.error(error)

    def mention(self, text: str) -> None:
        """Show a short message for eight seconds."""
        self.bar.add(Notice(self._theme, text, UNDO_MS))

    def saved(self, path: Path, words: str = "") -> None:
        """Tell that a file was saved, with a button for its folder; `words` replaces the default text."""
        text = words or tr(SAVED_AS, name=path.name)
        self.show_notice(message_of_words(text, "open_folder"), action=lambda: open_folder(path.parent))

    def undo(
        self, text: str, on_undo: Callable[[], object], *, several: CountedTexts | None = None, count: int = 1
    ) -> None:
        """Tell what was done, with an undo button for eight seconds or until the screen changes.

        `several` says the same of a `{count}`: an older notice with the same one is merged with this, and the button
        takes back all, the newest first. Other older ones wait until this one leaves.
        """
        merged = next((offer for offer in self._live_undos() if several and offer.several == several), None)
        steps = [*(merged.steps if merged is not None else ()), on_undo]
        if merged is not None:
            merged.notice.dismiss()
            count += merged.count
        notice = Notice(self._theme, tr_count(*several, count) if several and count > 1 else text, UNDO_MS)
        offer = _UndoOffer(notice, several, count, steps)
        notice.can_undo = True
        notice.add_button(tr(UNDO_ALL if len(steps) > 1 else UNDO), offer.take_back)
        self._undos.append(offer)
        self.bar.add(notice)

    def offer(self, text: str, label: str, do: Callable[[], object]) -> Notice:
        """Show a message with one button for eight seconds."""
        notice = Notice(self._theme, text, UNDO_MS)
        notice.add_button(label, do)
        self.bar.add(notice)
        return notice

    def undo_last(self) -> bool:
        """Undo what the newest undo notice is about, if it is still there. Return whether there was one."""
        if (offer := next(reversed(self._live_undos()), None)) is None:
            return False
        offer.notice.dismiss()
        offer.take_back()
        return True

    def _live_undos(self) -> list[_UndoOffer]:
        # A notice that left is deleted some time later, and may leave by itself.
        there = self.bar.notices
        self._undos = [offer for offer in self._undos if any(offer.notice is notice for notice in there)]
        return self._undos

    def install(self) -> None:
        """Route uncaught exceptions of all threads to this object."""
        self._old_hooks = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._on_uncaught
        threading.excepthook = lambda args: self._on_uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def uninstall(self) -> None:
        """Restore the previous exception hooks when the program quits."""
        if self._old_hooks is not None:
            sys.excepthook, threading.excepthook = self._old_hooks
            self._old_hooks = None

    def _on_uncaught(self, cls: type[BaseException], exc: BaseException | None, trace: TracebackType | None) -> None:
        if exc is None or issubclass(cls, KeyboardInterrupt | SystemExit):
            # Ctrl+C and exits aren't defects.
            sys.__excepthook__(cls, exc or cls(), trace)
        else:
            self._caught.emit(exc)


@dataclass(frozen=True)
class _UndoOffer:
    """An undo notice with what its button takes back, the oldest first; `several` is the text that merges them."""

    notice: Notice
    several: CountedTexts | None
    count: int
    steps: list[Callable[[], object]]

    def take_back(self) -> None:
        for step in reversed(self.steps):
            step()


class StandingNotice:
    """At most one lasting notice, dismissed when it no longer applies."""

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._notice: Notice | None = None

    def show_sentence(self, sentence: PersonMessage) -> None:
        """Show a message in place of the previous one."""
        self.end()
        self._notice = self._notify.show_notice(sentence, lasts=True)
        self._notice.left.connect(self._on_left)

    def end(self) -> None:
        """Dismiss the notice, if it is still shown, because it no longer applies."""
        if self._notice is not None:
            self._notice.dismiss()

    def _on_left(self) -> None:
        self._notice = None


def describe(exc: BaseException) -> str:
    """Return details of an exception for developers."""
    # Only for these details: this import reads files of the system.
    import platform

    lines = [f"{APP_NAME} {__version__}, Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}"]
    step: BaseException | None = exc
    while step is not None:
        # Without the exception's message, which may quote a conversation.
        lines.append(type(step).__name__ + _safe_fields(step))
        lines += [
            f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}: {frame.line}'
            for frame in traceback.extract_tb(step.__traceback__)
        ]
        # The cause comes after what it led to.
        step = step.__cause__ or step.__context__
    return "\n".join(lines)


def _safe_fields(exc: BaseException) -> str:
    if not isinstance(exc, AppError):
        return ""
    fields = to_fields(exc)
    said = [f"{name}={value!r}" for name, value in fields.items() if name in _SAFE_FIELDS]
    # Lines of the engine's own; others may quote a text.
    native = [line for line in str(fields.get("detail", "")).splitlines() if _NATIVE_LINE.match(line)]
    shown = ", ".join(said)  # in every language
    return "".join([f" ({shown})" if said else "", *(f"\n  | {line}" for line in native)])
