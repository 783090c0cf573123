"""Use the whole program for a while and tell whether it stays as it was: `make soak` (SOAK_SECONDS).

One JSON object a line: a sample after each round, and a verdict at the end, whose exit code it is. The window is this
process, on a real display, with the real engine and the starter under two names.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer, QtMsgType, qInstallMessageHandler

from app.core.paths import AppPaths, starter_model
from app.core.settings import (
    ChatDefaults,
    EngineSettings,
    NetworkSettings,
    Settings,
    TranslationSettings,
    WritingSettings,
    save_settings,
)
from app.ui import qt_application
from app.ui.shell.main_window import MainWindow
from tests.helpers.desks.window import Frame
from tests.soak.figures import ProcessSample, verdict_on
from tests.soak.robot import WindowRobot

TRANSLATING = "Hy-MT2-1.8B-Q4_K_M.gguf"
"""By this name a model that translates, which the starter is not."""
LOUD = ("WARNING", "ERROR", "CRITICAL")


def main() -> int:
    """Use the window, and return 1 unless all stayed level."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fireside-soak-") as folder:
        return _use_for(given.seconds, Path(folder))


def _use_for(seconds: float, folder: Path) -> int:
    os.environ["FIRESIDE_HOME"] = str(folder / "home")
    models = _prepare_home(folder)
    samples: list[ProcessSample] = []
    failures: list[str] = []
    heard = _hear_qt()
    began_s, robots = time.monotonic(), []

    def use(frame: Frame) -> None:
        robots.append(robot := WindowRobot(frame, models, folder))
        try:
            for sample in robot.use(seconds):
                samples.append(sample)
                _tell({"seconds": round(time.monotonic() - began_s), **asdict(sample), **robot.done})
        except BaseException:  # noqa: BLE001 - the window would only show it
            failures.append(traceback.format_exc())
        finally:
            frame.window.closing.quit()

    qt_application.MainWindow = _window_with(use)  # type: ignore[misc]
    code = qt_application.run([])
    log = AppPaths.from_environment().logs / "fireside.log"
    loud = [line for line in log.read_text("utf-8").splitlines() if any(f" {level} " in line for level in LOUD)]
    if code:
        failures.append(f"the window ended with {code}")
    verdict = verdict_on(samples, loud + heard, failures)
    _tell({"verdict": "level" if verdict["level"] else "not level", **robots[0].done, **verdict})
    return 0 if verdict["level"] else 1


def _prepare_home(folder: Path) -> tuple[Path, Path]:
    """Return two models; the first is chosen, and the network is off."""
    starter = starter_model()
    assert starter is not None, "resources/models is empty: run `make setup`"
    translating = folder / TRANSLATING
    translating.symlink_to(starter.resolve())
    settings = Settings(
        chat=ChatDefaults(max_tokens=24),
        engine=EngineSettings(model_path=str(translating), known_models=(str(translating),)),
        network=NetworkSettings(allowed=False),
        translations=TranslationSettings(target="pt-BR"),
        writing=WritingSettings(max_tokens=16),
    )
    save_settings(AppPaths.from_environment().settings, settings)
    return translating, starter


def _window_with(use: Callable[[Frame], object]) -> type[MainWindow]:
    """Return the program's own window, which is used from a moment after it is there."""

    class UsedWindow(MainWindow):
        """The window; what it is made of goes to the robot."""

        def __init__(self, app: Any, theme: Any, notify: Any, loader: Any, *arguments: Any, **named: Any) -> None:
            super().__init__(app, theme, notify, loader, *arguments, **named)
            chat = qt_application.chat_tab(self).chat
            frame = Frame(self, app, notify, theme=theme, loader=loader, chat=chat)
            QTimer.singleShot(2000, self, lambda: use(frame))

    return UsedWindow


def _hear_qt() -> list[str]:
    """Return the list to which every warning of Qt goes from now on."""
    heard: list[str] = []

    def hear(kind: QtMsgType, _context: object, text: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg):
            heard.append(f"Qt: {text}")

    qInstallMessageHandler(hear)
    return heard


def _tell(figures: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
