"""Start of the window: single instance, components, start-up problems, the model, a clean exit."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QProcess, QSocketNotifier, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog

from app import APP_ID, APP_NAME, __version__
from app.bootstrap import Fireside, build_program
from app.core.errors.app_error import AppError
from app.core.freed_memory import limit_arenas
from app.core.paths import AppPaths, has_lock_to_open
from app.core.settings import load_settings
from app.features.error_messages import PersonMessage
from app.features.file_reading import ResumeFiles
from app.ui.chat.chat_tab import ChatTab
from app.ui.icons import app_icon
from app.ui.screen_reader import install_interfaces
from app.ui.shell import tasks
from app.ui.shell.desktop import ACTIVATION, TaskBar, bring_to_front
from app.ui.shell.main_window import MainWindow
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.shell.single_instance import ASK, HandOverReply, InstanceState, SingleInstance, StartRequest
from app.ui.shell.tab_spec import CHAT
from app.ui.tab_list import TABS, open_help, open_settings
from app.ui.theme import Theme
from app.ui.widgets.motion import allow_motion
from app.ui.widgets.timers import new_timer
from app.ui.window_language import use_language

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 1.0
HOUR_MS = 3_600_000
OUTSIDE_AFTER_MS = 500
HAND_OVERS = 3
"""Attempts to hand over to another instance that exits before it answers."""
NO_ANSWER = PersonMessage(
    f"{APP_NAME} is already running but isn’t responding.",
    "This second window uses the same chats. If the first one doesn’t recover, close it or end its "
    "process in the system’s task manager.",
)
OPENED_BESIDE = PersonMessage(
    f"Another {APP_NAME} is still closing.",
    "This second window uses the same chats. If the first one never closes, end its process in the "
    "system’s task manager.",
)


def run(arguments: list[str]) -> int:
    """Run the window until it is closed; return the exit code."""
    limit_arenas()
    wanted = StartRequest.from_arguments(arguments, os.environ.get(ACTIVATION, ""))
    application = Application([APP_NAME])
    application.setApplicationName(APP_ID)
    application.setApplicationVersion(__version__)
    # By it Wayland finds the icon, and desktops group the windows.
    QGuiApplication.setDesktopFileName(APP_ID)
    paths = AppPaths.from_environment()
    instance = SingleInstance(paths.data)
    # Made when first needed: handing over to another instance needs none.
    theme = cache(lambda: _theme(application, paths))
    try:
        if (notices := _claim_instance(instance, wanted, theme)) is None:
            return 0
        return _run_window(application, instance, paths, theme(), wanted=wanted, notices=notices)
    finally:
        instance.close()


class Application(QApplication):
    """Application that turns the system's events, Quit and opened files, into signals."""

    quit_wanted = Signal()
    """The session ends or the system's menu quits; windows are closed next."""
    file_opened = Signal(str)
    """On macOS, a file opened by the file manager, which passes no command line to a running program."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Quit:
            self.quit_wanted.emit()
        elif isinstance(event, QFileOpenEvent):
            self.file_opened.emit(event.file())
        return super().event(event)


def _theme(application: QApplication, paths: AppPaths) -> Theme:
    """Return the user's theme, installed, with the settings read from disk."""
    # Before anything is built, so that errors of the start have the user's look already.
    appearance = load_settings(paths.settings)[0].appearance
    use_language(application, appearance.language)
    theme = Theme(
        appearance.scheme, appearance.zoom, system_font=appearance.system_font, high_contrast=appearance.high_contrast
    )
    theme.dims_pages = appearance.dim_pages
    theme.install(application)
    install_interfaces()
    allow_motion(application, is_reduced=appearance.reduce_motion)
    application.setWindowIcon(app_icon())
    return theme


def _claim_instance(
    instance: SingleInstance, wanted: StartRequest, theme: Callable[[], Theme]
) -> list[PersonMessage] | None:
    """Return the messages for this start's window; None if another instance took over."""
    for _ in range(HAND_OVERS):
        if (found := instance.claim()) is InstanceState.ENDING:
            from app.ui.shell.startup import StillEnding  # rarely needed

            waiting = StillEnding(theme(), instance.claim)
            if not waiting.wait():
                return [OPENED_BESIDE] if waiting.goes_on else None
            found = waiting.found
        if found is InstanceState.NOBODY:
            return []
        if (heard := instance.hand_over(wanted)) is HandOverReply.SHOWN:
            return None
        if heard is HandOverReply.NOTHING:
            break
    return [NO_ANSWER]


def _run_window(
    application: Application,
    instance: SingleInstance,
    paths: AppPaths,
    theme: Theme,
    *,
    wanted: StartRequest,
    notices: list[PersonMessage],
) -> int:
    opened = _open_lock(paths, theme, instance)
    app = _build(opened, theme) if opened is not None else None
    if app is None:
        return 1
    for notice in notices:
        log.info("told: %s", notice.text)
    app.notices += notices
    notify = Notify(theme)
    notify.install()
    window: MainWindow | None = None

    def let_go() -> None:
        # A change of the lock needs the folder for itself.
        if app.lock_change is not None:
            return
        instance.close()
        # Only now, as the new process would find this one's lock.
        if window is not None and window.closing.is_restarting:
            if app.paths.unlocked is not None:
                from app.features.lock.open_copies import tell_locked  # most have no lock

                tell_locked(app.paths)
            start_again()

    try:
        loader = ModelLoader(app, notify)
        window = MainWindow(app, theme, notify, loader, TABS, open_settings=open_settings, open_help=open_help)
        _connect(application, instance, window)
        first_paint = _FirstPaint(window, lambda: _after_first_paint(app, window, notify, theme, wanted))
        if wanted.tab == ASK:
            QTimer.singleShot(0, window, first_paint.then)  # only the quick window is shown
        else:
            window.installEventFilter(first_paint)
            window.show()
        with _ProcessSignals(application, window.closing.quit):
            code = application.exec()
    finally:
        # Threads first, as they use the parts that are closed next.
        tasks.running.stop_all(STOP_TIMEOUT_S)
        notify.uninstall()
        app.close(let_go)
        if app.lock_change is not None:
            from app.ui.shell.lock_screen import run_lock_change

            run_lock_change(theme, app.lock_change)
            app.lock_change = None
            let_go()
    return code


def start_again() -> None:
    """Start a new process of this program that outlives this one."""
    from app.core.child import own_command

    program, *arguments = own_command("")
    QProcess.startDetached(program, [argument for argument in arguments if argument])


def _connect(application: Application, instance: SingleInstance, window: MainWindow) -> None:
    """Connect the window with other instances and the system."""
    closing = window.closing

    def open_request(wanted: StartRequest) -> None:
        # On Wayland a window comes to the front only with the token of the click that wanted it.
        if wanted.token:
            os.environ[ACTIVATION] = wanted.token
        if wanted.tab == ASK:
            window.ui.system.ask_wanted.emit(wanted.words)
            return
        bring_to_front(window)
        window.files.open(wanted.files, wanted.tab)

    instance.asked.connect(open_request)
    closing.begun.connect(instance.stop_answering)
    application.file_opened.connect(lambda file: open_request(StartRequest((file,))))
    # What the system ends doesn't stay in the tray.
    application.quit_wanted.connect(closing.go_for_good)
    application.commitDataRequest.connect(lambda _session: window.store())  # the session is about to end


def _open_lock(paths: AppPaths, theme: Theme, instance: SingleInstance) -> AppPaths | None:
    """Ask for the passphrase if the data is locked; None if the user quits instead."""
    if not has_lock_to_open(paths):
        return paths
    from app.ui.shell.lock_screen import open_locked_home  # most have no lock

    return open_locked_home(paths, theme, lambda screen: instance.asked.connect(screen.come_forward))


def _build(paths: AppPaths, theme: Theme) -> Fireside | None:
    """Build the components; on an error show it and try again as often as the user wants."""
    while True:
        try:
            return build_program(paths)
        except AppError as error:
            from app.features.exchange.restore_backup import last_aside, put_back
            from app.ui.shell.startup import StartupProblem  # rarely needed

            problem = StartupProblem(theme, error, paths.data)
            if last_aside(paths) is not None:
                problem.offer_to_put_back(lambda: put_back(paths))
            if problem.exec() != QDialog.DialogCode.Accepted:
                return None


def _after_first_paint(app: Fireside, window: MainWindow, notify: Notify, theme: Theme, wanted: StartRequest) -> None:
    if os.environ.get("FIRESIDE_TIMING") == "1":
        print(f"window visible after {_process_age_ms():.0f} ms", file=sys.stderr, flush=True)  # noqa: T201 - in every language
    notify.actions["put_back"] = lambda: _put_back(app, window)
    for notice in app.notices:
        notify.show_notice(notice, lasts=True)
    task_bar = TaskBar(window, is_wanted=lambda: app.settings.system.notifies)
    look_after(app, window, notify)
    look_outside(app, window, task_bar)
    if wanted.tab == ASK:
        window.loader.start()
        window.ui.system.ask_wanted.emit(wanted.words)
    elif wanted.files or wanted.tab:
        window.files.open(wanted.files, wanted.tab)
    else:
        window.loader.start()
    app.models.start()
    watch_models(app, window, notify, theme, task_bar)
    window.tabs.go_on()
    chat_tab(window).chat.session.dispatch(ResumeFiles())
    if window.ui.programs is not None:
        window.ui.programs.begin()
    if window.ui.pictures is not None:
        window.ui.pictures.go_on()
    # Last, and on a thread: nobody waits for what is tidied up.
    tasks.run(lambda _token: _tidy(app), window, on_failed=notify.error)


def _put_back(app: Fireside, window: MainWindow) -> None:
    from app.ui.exchange.backup import BackupFiles  # rarely needed

    BackupFiles.of_window(app, window.ui).ask_to_put_back()


def look_after(app: Fireside, window: MainWindow, notify: Notify) -> None:
    """Start the window's background duties, such as putting an idle model to sleep."""
    from app.core.build import ProgramFile
    from app.features.models.model_memory import ModelMemoryWatch
    from app.ui.help.start_hints import StartHints
    from app.ui.shell.calm_caret import CalmCaret
    from app.ui.shell.garbage_collection import collect_on_this_thread
    from app.ui.shell.memory_rest import MemoryRest
    from app.ui.shell.model_sleep import ModelSleep
    from app.ui.shell.quiet_tuning import QuietTuning
    from app.ui.shell.silence_notices import SilenceNotices
    from app.ui.shell.upgrade_notice import UpgradeNotice
    from app.ui.shell.version_handover import VersionHandover

    collect_on_this_thread(window)
    MemoryRest(window)
    seat = app.pool.seat
    ModelSleep(ModelMemoryWatch(lambda: app.settings.engine, lambda: seat.use), seat, notify, window.loader)
    QuietTuning(seat, window.loader)
    chat_tab(window).chat.answer_finished.connect(VersionHandover(app, window.loader, notify).on_answer)
    SilenceNotices(notify, window)
    if app.paths.unlocked is not None:
        from app.ui.shell.idle_lock import IdleLock

        IdleLock(app, window)
    UpgradeNotice(notify, ProgramFile(), window)
    hints = StartHints(app, notify, window)
    hints.begin()
    chat_tab(window).chat.answer_finished.connect(hints.on_answer)
    CalmCaret(window)

    # A window that stays open for days has its daily copies, too.
    def take_snapshot() -> None:
        tasks.run(lambda _token: _take_snapshot(app), window, on_failed=notify.error)

    new_timer(window, HOUR_MS, take_snapshot, repeats=True).start()


def look_outside(app: Fireside, window: MainWindow, task_bar: TaskBar) -> None:
    """Set up tray, shortcut and task bar."""
    from app.ui.outside import Outside

    outside = Outside(app, window, task_bar)
    chat = chat_tab(window).chat
    for answer_signal in (chat.answer_started, chat.answer_finished):
        answer_signal.connect(lambda _: outside.tray.refresh_work())
    # After the first input, as asking the system takes a moment.
    QTimer.singleShot(OUTSIDE_AFTER_MS, window, outside.begin)


def watch_models(app: Fireside, window: MainWindow, notify: Notify, theme: Theme, task_bar: TaskBar) -> None:
    """Set up messages about models outside the Models tab; not needed at start."""
    from app.ui.chat.welcome import FirstSuggestion
    from app.ui.models.download_rows import DownloadWatch

    watch = DownloadWatch(app.models, theme, notify, window.loader, task_bar=task_bar)
    application = QApplication.instance()
    assert application is not None
    application.aboutToQuit.connect(watch.close)
    empty = chat_tab(window).chat.models.empty
    FirstSuggestion(app.models, notify, window.loader, empty, watch.changed)
    empty.models_wanted.connect(window.open_models)
    if window.ui.passages is not None:
        from app.ui.chat.claim_check import AnswerChecking
        from app.ui.chat.passages import PassageOffering

        PassageOffering(app, window.ui, chat_tab(window).chat, watch.changed)
        AnswerChecking(app, notify, chat_tab(window).chat)
        window.ui.passages.start_later()


def chat_tab(window: MainWindow) -> ChatTab:
    tab = window.tab(CHAT)
    assert isinstance(tab, ChatTab)
    return tab


def _tidy(app: Fireside) -> Iterator[object]:
    app.housekeeping.remove_unreferenced()
    yield from _take_snapshot(app)


def _take_snapshot(app: Fireside) -> Iterator[object]:
    app.housekeeping.take_snapshot()
    # A task is a generator.
    yield from ()


def _process_age_ms() -> float:
    """Return the age of the process; without /proc, since this module's import."""
    try:
        # The name of a program may contain blanks and brackets, so fields are counted behind it.
        started_ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        uptime_s = float(Path("/proc/uptime").read_text().split()[0])
        return (uptime_s - started_ticks / os.sysconf("SC_CLK_TCK")) * 1000
    except (OSError, ValueError):
        return (time.monotonic() - _IMPORTED_S) * 1000


_IMPORTED_S = time.monotonic()


class _FirstPaint(QObject):
    """Calls back once, right after the window's first paint."""

    def __init__(self, parent: QObject, then: Callable[[], None]) -> None:
        super().__init__(parent)
        self.then = then

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            # A turn later, when this paint is done.
            QTimer.singleShot(0, self, self.then)
        return False


class _ProcessSignals:
    """Close the window on Ctrl+C in a terminal and on SIGTERM."""

    def __init__(self, application: QApplication, quit_window: Callable[[], object]) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read, application)
        # Read, or the notifier would fire again and again.
        self._notifier.activated.connect(lambda: self._ours.recv(64))
        self._quit = quit_window

    def __enter__(self) -> None:
        # Python runs signal handlers between its instructions, and Qt's waiting loop executes none: the socket wakes
        # it.
        self._old_fd = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        self._old = {
            # Only requested here, as what the signal interrupts may hold a lock that closing needs.
            number: signal.signal(number, lambda *_: QTimer.singleShot(0, self._quit))
            for number in (signal.SIGINT, signal.SIGTERM)
        }

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self._notifier.setEnabled(False)
        self._ours.close()
        self._theirs.close()
