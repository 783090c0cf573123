"""Saves pictures of the running program to pictures/, with a contact sheet for each family of screens.

Every screen is shown light, dark, small, wide and with two pixels to a point. It fails on text that is cut, on controls
outside the screen and on contrast that is too weak. The window, the engine and the starter model are the real ones, in
a home of their own; only the older chats are invented. Call it through `make pictures`, which gives it a display.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from composer_scenes import screens as composer_screens  # noqa: E402
from document_scenes import screens as document_screens  # noqa: E402
from exchange_scenes import screens as exchange_screens  # noqa: E402
from finding_scenes import screens as finding_screens  # noqa: E402
from inside_scenes import screens as inside_screens  # noqa: E402
from model_scenes import hub_for_pictures  # noqa: E402
from model_scenes import screens as model_screens  # noqa: E402
from project_scenes import screens as project_screens  # noqa: E402
from PySide6.QtCore import QPoint  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QApplication, QPushButton, QScrollArea, QWidget  # noqa: E402
from server_scenes import Scenes as ServerScenes  # noqa: E402
from summary_scenes import screens as summary_screens  # noqa: E402
from system_scenes import screens as system_screens  # noqa: E402
from tool_scenes import Scenes as ToolScenes  # noqa: E402
from translation_scenes import screens as translation_screens  # noqa: E402
from turn_scenes import screens as turn_screens  # noqa: E402
from write_scenes import screens as write_screens  # noqa: E402

from app.core.catalogue import language_in_use  # noqa: E402
from app.core.errors.model_errors import ModelUnreadable  # noqa: E402
from app.core.events import Role  # noqa: E402
from app.core.installed_languages import ENGLISH, OWN_NAMES, built_in_file  # noqa: E402
from app.engine.tuning import ModelTuning, TuningTable  # noqa: E402
from app.features.help_pages import help_picture  # noqa: E402
from app.store.conversations import Conversations  # noqa: E402
from app.store.message_rows import MessageState  # noqa: E402
from app.ui.chat.chat_context import ContextFull  # noqa: E402
from app.ui.chat.chat_options import ChatSettings  # noqa: E402
from app.ui.chat.chat_view import ChatView  # noqa: E402
from app.ui.icons import app_icon  # noqa: E402
from app.ui.qt_application import watch_models  # noqa: E402
from app.ui.settings.connections import ConnectionTable  # noqa: E402
from app.ui.settings.dialog import SettingsDialog  # noqa: E402
from app.ui.shell.desktop import TaskBar  # noqa: E402
from app.ui.shell.main_window import MainWindow  # noqa: E402
from app.ui.window_language import MIRRORED, PSEUDO, is_pseudo_language, use_language  # noqa: E402
from tests.helpers.accessible_tree import screen_reader_on, tree_faults  # noqa: E402
from tests.helpers.clipping import clipped_texts  # noqa: E402
from tests.helpers.desks.chat import ChatDesk  # noqa: E402
from tests.helpers.desks.window import Frame, open_window  # noqa: E402
from tests.helpers.screen_checks import controls_outside, faint_texts, near_misses, undressed_buttons  # noqa: E402
from tests.helpers.untranslated import untranslated_texts  # noqa: E402

Step = Callable[[], object]
Screen = tuple[str, Step, Step]


@dataclass(frozen=True)
class Shape:
    """Scheme and size of the window, and how many pixels of the screen make one of its own."""

    scheme: str
    size: tuple[int, int]
    ratio: str = "1"
    high_contrast: bool = False

    @property
    def suffix(self) -> str:
        """What a picture's name ends with."""
        ratio = "" if self.ratio == "1" else f"-{self.ratio}x"
        scheme = f"{self.scheme}-contrast" if self.high_contrast else self.scheme
        return f"-{scheme}-{self.size[0]}x{self.size[1]}{ratio}"


SHAPES = {
    "light": Shape("light", (1280, 800)),
    "dark": Shape("dark", (1280, 800)),
    "small": Shape("light", (900, 600)),
    "small, dark": Shape("dark", (900, 600)),
    "wide": Shape("light", (1920, 1000)),
    "2×": Shape("light", (1280, 800), "2"),
    "low": Shape("light", (1280, 680)),
    "least": Shape("light", (640, 480)),
    "contrast": Shape("light", (1280, 800), high_contrast=True),
    "contrast, dark": Shape("dark", (1280, 800), high_contrast=True),
}
"""On no sheet: the smallest screen of a notebook, 1366×768, half of it, and high contrast."""
SHEETS = list(SHAPES)[:-4]
HELP_SHAPES = ("light", "dark")
"""Those that pages of the help show."""
COLUMNS = (289, 305, 390)
"""Where lines may begin at 1280 points: at the edge of a tab, inside its cards, and where a conversation is read."""
FRACTIONS = [Shape(scheme, (1280, 800), ratio) for scheme in ("light", "dark") for ratio in ("1.25", "1.5")]
"""Taken of `TWELVE` only: thin lines, icons and pages suffer first where a line is no whole number of pixels."""
TWELVE = (
    "empty",
    "conversation",
    "chat-settings",
    "settings",
    "model-menu",
    "palette",
    "inside-attention",
    "write-page",
    "document-beside",
    "models-suggested",
    "summary-done",
    "translate-text",
)
EVERY_LANGUAGE = "all"
SETTLE_MS = 250
TIMEOUT_MS = 120_000
TUNED_MODEL = ModelTuning(
    2, 4, 256, "off", 4, answer_speed=31, answer_default_speed=27, prompt_speed=110, prompt_default_speed=80,
    is_faster=True, day="2026-12-02",
)  # fmt: skip
REAL_QUESTION = "Give me five names for a small black cat."

OLDER_CHATS = (
    ("Garden plan for spring", 9.0, True),
    ("Letter to the landlord", 0.0, False),
    ("Trip to Lisbon, three days", 1.0, False),
    ("Explain this SQL query", 4.0, False),
    ("Words for a birthday card", 30.0, False),
)
QUESTION = "How long does it take to hear thunder after the lightning?"
THOUGHT = """Sound travels at about 343 metres a second, so a kilometre takes three seconds.
A rule of thumb first, then a small table. Close storms are dangerous: say so at the end."""
ANSWER = """Light is there at once; sound needs about **three seconds for a kilometre**. Count from the flash:

| Seconds | Distance |
| ---: | --- |
| 3 | about 1 km |
| 6 | about 2 km |
| 15 | about 5 km |

The same as a small function:

```python
SPEED_OF_SOUND = 343  # metres a second, at 20 °C

def distance_km(seconds: float) -> float:
    return seconds * SPEED_OF_SOUND / 1000
```

Below five seconds the storm is close: *go inside*."""


LEASE = (
    (
        "I rent a flat. Answer in plain words, and say which paragraph you mean.",
        "Gladly. Paste the part you ask about.",
    ),
    ("The notice period is three months to the end of a quarter. When must I write?", "Three months before its end."),
    ("And if I want to leave on 30 September?", "Then the letter has to be there by **30 June**."),
    ("Does an e-mail count?", "Not for this: the lease asks for a *signed letter*. A copy by e-mail does no harm."),
    ("Who pays for painting the walls?", "You, where your use has marked them; the owner, where they are simply old."),
)


@dataclass
class Scene:
    """The running window, the chat in it, and three chats."""

    frame: Frame
    chat: ChatDesk
    told: int
    long: int
    answered: int


def main(arguments: list[str]) -> int:
    """Takes every picture, or those that are named, then the contact sheets; returns 1 where a check fails."""
    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "pictures")
    parser.add_argument("names", nargs="*", help="screens; without them all")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=SHEETS)
    parser.add_argument("--ratio", help="take only those with this ratio, in this process")
    parser.add_argument("--language", default=ENGLISH, help=f"such as {PSEUDO}, {MIRRORED} or {EVERY_LANGUAGE}")
    parser.add_argument("--twelve", action="store_true", help="take only the twelve that every other is like")
    parser.add_argument("--help-pages", action="store_true", help="take only those that pages of the help show")
    asked = parser.parse_args(arguments)
    if asked.help_pages:
        return _take_for_help(asked.folder)
    asked.names += TWELVE if asked.twelve else ()
    if asked.language == EVERY_LANGUAGE:
        return _take_languages(asked.folder, [*asked.names, "--shapes", *asked.shapes])
    shapes = [SHAPES[name] for name in asked.shapes]
    shapes += FRACTIONS if asked.shapes == SHEETS else []
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.ratio is not None:
        shapes = [shape for shape in shapes if shape.ratio == asked.ratio]
        return _take(asked.folder, asked.names, shapes, asked.language)
    code = 0
    for ratio in sorted({shape.ratio for shape in shapes}):  # Qt reads it once, at the start of a program
        again = [sys.executable, __file__, *arguments, "--ratio", ratio]
        code |= subprocess.run(again, env={**os.environ, "QT_SCALE_FACTOR": ratio}, check=False).returncode
    subprocess.run([sys.executable, str(ROOT / "packaging/contact_sheets.py"), str(asked.folder)], check=True)
    if asked.language == ENGLISH:
        copy_help_pictures(asked.folder)
    return code


def _take_for_help(folder: Path) -> int:
    """Take the pictures of the help again, as they are packed; return 1 where one is missing."""
    again = [sys.executable, __file__, str(folder), *help_pictures(), "--shapes", *HELP_SHAPES]
    subprocess.run(again, check=False)  # what is wrong with a screen is for those who take all of them
    wanted = [(name, shape) for name in help_pictures() for shape in HELP_SHAPES]
    missing = [f"{name}, {shape}" for name, shape in wanted if help_picture(name, is_dark=shape == "dark") is None]
    print("\n".join(f"{picture}: not taken" for picture in missing), end="\n" if missing else "", file=sys.stderr)
    return 1 if missing else 0


def help_pictures() -> list[str]:
    """Return the names of the pictures in pages of the help, each once."""
    pages = "".join(page.read_text("utf-8") for page in sorted((ROOT / "resources/help/en").glob("*.md")))
    return [*dict.fromkeys(re.findall(r"!\[[^\]]*\]\(([a-z-]+)\)", pages))]


def copy_help_pictures(folder: Path) -> None:
    """Copies the pictures that pages of the help name to where the program, and so its packages, find them."""
    target = ROOT / "resources/help/pictures"
    target.mkdir(exist_ok=True)
    for name in help_pictures():
        for scheme in HELP_SHAPES:
            taken = folder / f"{name}{SHAPES[scheme].suffix}.png"
            if taken.is_file():
                shutil.copyfile(taken, target / f"{name}-{scheme}.png")


def _take_languages(folder: Path, wanted: list[str]) -> int:
    """Take the pictures again in each language, in a folder of its own; return 1 where a check fails."""
    code = 0
    for language in OWN_NAMES:
        if built_in_file(language).is_file():
            again = [sys.executable, __file__, str(folder / language), *wanted, "--language", language]
            code |= subprocess.run(again, check=False).returncode
    return code


def _take(folder: Path, names: list[str], shapes: list[Shape], language: str) -> int:
    faults: list[str] = []
    families: dict[str, list[str]] = {}
    with running_scene(language) as scene:
        for family, screens in families_of(scene).items():
            families[family] = [name for name, _, _ in screens]
            for name, prepare, tidy in screens:
                if not names or name in names:
                    wanted = [shape for shape in shapes if shape not in FRACTIONS or name in TWELVE]
                    files = [(shape, folder / f"{name}{shape.suffix}.png") for shape in wanted]
                    faults += _shoot_screen(scene.frame, files, (prepare, tidy))
    if set(names) == set(TWELVE):
        families = {f"twelve-{language}": names}
    (folder / "families.json").write_text(json.dumps(families), "utf-8")
    for line in faults:
        print(line, file=sys.stderr)
    return 1 if faults else 0


def _shoot_screen(frame: Frame, files: list[tuple[Shape, Path]], steps: tuple[Step, Step]) -> list[str]:
    """Takes a screen in each shape and leaves it; returns what is wrong with it.

    One that is not reached is not waited for in another shape, and leaves the others their pictures.
    """
    faults = []
    for shape, file in files:
        try:
            faults += _shoot(frame, shape, steps, file)
        except Exception as problem:  # noqa: BLE001 - as above
            traceback.print_exception(problem)
            close_others(frame.window)
            return [*faults, f"{file.stem}: not reached: {problem!r}"]
    return faults


def close_others(window: MainWindow) -> None:
    """Close whatever a screen left open beside the main window."""
    for widget in QApplication.topLevelWidgets():
        if widget is not window:
            widget.close()


def _shoot(frame: Frame, shape: Shape, steps: tuple[Step, Step], file: Path) -> list[str]:
    """Brings the screen about, takes its picture and leaves it; returns what is wrong with it."""
    prepare, tidy = steps
    frame.theme.scheme = shape.scheme
    frame.theme.high_contrast = shape.high_contrast
    frame.window.resize(*shape.size)
    prepare()
    faults = _picture(frame.window, file)
    tidy()
    return faults


@contextmanager
def running_scene(language: str) -> Iterator[Scene]:
    """Run the program for a listening screen reader, in a home and with a Hub of its own."""
    with tempfile.TemporaryDirectory(prefix="fireside-pictures-") as home:
        os.environ["FIRESIDE_HOME"] = home
        application = QApplication([])
        application.setWindowIcon(app_icon())
        with screen_reader_on(), shown_in(language), hub_for_pictures(Path(home)), _running(application) as scene:
            yield scene


@contextmanager
def shown_in(language: str) -> Iterator[None]:
    """Shows the program in this language, and in English afterwards."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    if language == ENGLISH:
        yield
        return
    use_language(application, language)
    try:
        yield
    finally:
        use_language(application, ENGLISH)


@contextmanager
def _running(application: QApplication) -> Iterator[Scene]:
    with open_window(application, make_chat=ChatView) as frame:
        app = frame.app
        app.change_settings("chat", max_tokens=160)
        told, long = _invent(app.conversations), _invent_long(app.conversations)
        frame.chats.reload()
        watch_models(app, frame.window, frame.notify, frame.theme, TaskBar(frame.window))
        frame.loader.start()
        frame.wait(lambda: frame.loader.state == "ready", TIMEOUT_MS)
        chat = ChatDesk(frame.chat, app, frame.notify, frame.theme)
        frame.new_chat()
        chat.type(REAL_QUESTION)
        chat.answer_to_enter(TIMEOUT_MS)
        yield Scene(frame, chat, told, long, frame.chat.conversation_id)


def _invent(conversations: Conversations) -> int:
    """Older chats for the list, and one that is told; its id."""
    for title, days, pinned in OLDER_CHATS:
        then_s = time.time() - days * 86_400
        clock = conversations.__class__(conversations._database, partial(float, then_s))
        clock.update(clock.create(title=title).id, pinned=pinned)
    told = conversations.create(title="Thunder and lightning")
    question = conversations.add_message(told.id, None, Role.USER, QUESTION)
    answer = conversations.add_message(told.id, question.id, Role.ASSISTANT, ANSWER)
    conversations.finish_message(answer.id, ANSWER, MessageState.COMPLETE, thinking=THOUGHT, thinking_s=12.0)
    return told.id


def _invent_long(conversations: Conversations) -> int:
    """A chat whose beginning has left the model's memory, but for one pinned message; its id."""
    chat = conversations.create(title="Questions about the lease", system_prompt="Be brief.")
    parent: int | None = None
    questions: list[int] = []
    for question, answer in LEASE:
        questions.append(conversations.add_message(chat.id, parent, Role.USER, question).id)
        parent = conversations.add_message(chat.id, questions[-1], Role.ASSISTANT, answer).id
    conversations.set_message_pinned(questions[0], True)
    conversations.update(chat.id, first_kept_id=questions[3])
    return chat.id


def families_of(scene: Scene) -> dict[str, list[Screen]]:
    """Screens by family: name, what to do before the picture, what to do after it."""
    frame, data = scene.frame, scene.frame.paths.data
    documents, summaries = data / "documents-of-pictures", data / "summaries-of-pictures"
    families = {
        "chat": [*_chat_screens(scene), *turn_screens(frame, scene.chat, scene.told, scene.answered)],
        "composer": composer_screens(frame, scene.chat, scene.told),
        "finding": finding_screens(frame, scene.told),
        "projects": project_screens(frame, scene.told, data / "documents-of-projects"),
        "dialogs": [*exchange_screens(frame, scene.told), *system_screens(frame, scene.told)],
        "inside": inside_screens(frame, scene.answered),
        "write": write_screens(frame),
        "documents": document_screens(frame, scene.chat, documents),
        "models": model_screens(frame),
        "servers": ServerScenes(frame, scene.chat).screens(),
        "tools": ToolScenes(frame).screens(),
        "summaries": summary_screens(frame, summaries),
        "translations": translation_screens(frame),
    }
    frame.new_chat()  # making them left another tab open
    return families


def _chat_screens(scene: Scene) -> list[Screen]:
    frame, chat = scene.frame, scene.chat
    window, notify = frame.window, frame.notify

    def no_step() -> None:
        """Nothing to tidy up."""

    def show(number: int) -> Step:
        return lambda: frame.show_chat(number)

    def settings(page: str) -> Step:
        def open_page() -> None:
            frame.show_chat(scene.told)
            window.open_settings(page)

        return open_page

    def close(kind: type[QWidget]) -> Step:
        return lambda: frame.find_step(kind).close()

    def thinking() -> None:
        frame.show_chat(scene.told)
        chat.composer.thinking.show_choice("switch", "on")
        chat.thinking.set_open(True)
        chat.scroll_bar.setValue(0)

    def chat_settings() -> None:
        frame.show_chat(scene.told)
        chat.root.models.options.show_dialog()
        frame.find_step(ChatSettings).findChildren(QPushButton, "more_sampling")[0].click()

    def error_bar() -> None:
        frame.show_chat(scene.told)
        notify.error(ModelUnreadable("/models/novel-4B-Q4_K_M.gguf", "truncated"))
        notify.undo("“Words for a birthday card” was deleted.", no_step)

    def close_notices() -> None:
        while frame.notices:
            frame.notice.dismiss()

    def long_chat() -> None:
        frame.show_chat(scene.long)
        chat.scroll_bar.setValue(0)
        chat.turns[1].set_focused(True)

    def panel() -> None:
        frame.show_chat(scene.long)
        chat.put_message("Could you put all of that into a short letter to the owner?")
        frame.show_context()
        chat.wait(lambda: chat.parts is not None, TIMEOUT_MS)

    def close_panel() -> None:
        _close_popup()
        chat.put_message("")

    def settings_tuned() -> None:
        path = frame.app.model_path()
        assert path is not None
        TuningTable(frame.app.paths.engine).store_tuning(path, "", (), TUNED_MODEL)
        settings("engine/tuning")()

    def ask_when_full() -> None:
        frame.show_chat(scene.long)
        ContextFull(frame.theme, chat.root, compact=no_step, begin_chat=no_step).open()

    return [
        ("empty", frame.new_chat, no_step),
        ("temporary", lambda: frame.do("temporary_chat"), frame.new_chat),
        ("divider", long_chat, no_step),
        ("context-panel", panel, close_panel),
        ("context-full", ask_when_full, close(ContextFull)),
        ("conversation", show(scene.told), no_step),
        ("answer", show(scene.answered), no_step),
        ("thinking", thinking, lambda: chat.composer.thinking.show_choice("none", "")),
        ("chat-settings", chat_settings, close(ChatSettings)),
        ("settings", settings("appearance"), close(SettingsDialog)),
        ("settings-data", settings("data"), close(SettingsDialog)),
        ("settings-chat", settings("chat"), close(SettingsDialog)),
        ("settings-engine", settings("engine"), close(SettingsDialog)),
        ("settings-tuned", settings_tuned, close(SettingsDialog)),
        ("settings-memory", settings("engine/memory"), close(SettingsDialog)),
        ("settings-network", settings("network"), close(SettingsDialog)),
        ("settings-proxy", settings("network/certificates"), close(SettingsDialog)),
        ("settings-connections", lambda: _show_connections(frame), close(SettingsDialog)),
        ("model-menu", frame.picker.show_menu, _close_popup),
        ("model-about", frame.picker.show_about, _close_popup),
        ("notices", error_bar, close_notices),
    ]


def _show_connections(frame: Frame) -> None:
    for host, why, proxy in (
        ("huggingface.co", "search", ""),
        ("cdn-lfs.huggingface.co", "download Qwen3.5-4B-Q4_K_M.gguf", "proxy.office.example:3128"),
    ):
        connection = frame.app.ledger.begin(host, why, proxy=proxy, trusted="system+own" if proxy else "system")
        frame.app.ledger.update_connection(connection, received_bytes=2_740_000, status=200)
    frame.window.open_settings("network")
    table = frame.find_step(ConnectionTable)
    pages = next(area for area in frame.find_step(SettingsDialog).findChildren(QScrollArea) if area.isAncestorOf(table))
    QTest.qWait(500)  # its rows are read on a thread
    pages.verticalScrollBar().setValue(pages.verticalScrollBar().maximum())


def _picture(window: MainWindow, file: Path) -> list[str]:
    """Saves what is really on the display, so that menus and dialogs are in it; returns what is wrong with it."""
    # What arrived while it was taken is not on it: a fault counts that the next picture shows, too.
    return _faults_of(window, file) and _faults_of(window, file)


def _faults_of(window: MainWindow, file: Path) -> list[str]:
    QTest.qWait(SETTLE_MS)
    corner = window.mapToGlobal(QPoint(0, 0))
    pixmap = window.screen().grabWindow(0, corner.x(), corner.y(), window.width(), window.height())
    pixmap.save(str(file))
    picture = pixmap.toImage()
    faults: list[str] = []
    windows = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    for shown in windows:
        faults += [f"cut: {line}" for line in clipped_texts(shown)]
        if is_pseudo_language():
            faults += [f"not translated: {line}" for line in untranslated_texts(shown)]
        faults += [f"outside the screen: {line}" for line in controls_outside(shown)]
        faults += [f"in the font of messages: {line}" for line in undressed_buttons(shown)]
        faults += [f"told wrongly to screen readers: {line}" for line in tree_faults(shown)]
    faults += [f"hard to read: {line}" for line in faint_texts(window, picture)]
    content = window.findChild(QWidget, "content")
    # Under a dialog's shade or a menu's shadow ink can't be told from ground.
    # Nor do letters of other scripts, or a pseudo-language's brackets, begin where English ones do.
    is_of_grid = picture.width() == SHAPES["light"].size[0] and language_in_use() == ENGLISH
    if is_of_grid and content is not None and len(windows) == 1:
        faults += [f"off the grid: {line}" for line in near_misses(content, picture, COLUMNS)]
    return [f"{file.stem}: {line}" for line in faults]


def _close_popup() -> None:
    popup: QWidget | None = QApplication.activePopupWidget()
    if popup is not None:
        popup.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
