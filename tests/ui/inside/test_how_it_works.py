"""Six pages about how a language model works, with the numbers of the chosen one and a live view beside each."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from app.core.child import own_command
from app.core.events import Guess
from app.engine.client import EngineClient
from app.engine.protocol import Wish
from app.features.inside.anatomy import anatomy_of
from app.ui.inside.flow import TokenFlow
from app.ui.inside.how_it_works import (
    EXAMPLE,
    LESSONS,
    UNKNOWN,
    HowItWorks,
    TemperatureView,
    facts_for,
    rescale_probabilities,
)
from app.ui.shell.notify import Notify
from app.ui.text.formula import FormulaView
from app.ui.theme import Theme
from tests.helpers.desks.window import Frame
from tests.helpers.models_on_disk import write_model
from tests.helpers.script import requests
from tests.ui.models.stand_in import Loader, context


def open_page(frame: Frame) -> HowItWorks:
    frame.show_models("how")
    page = frame.find_step(HowItWorks)
    frame.wait(lambda: page.is_known)
    return page


def test_each_page_is_short_and_every_number_in_it_is_known(starter: Path) -> None:
    facts = facts_for(anatomy_of(starter), "Starter")
    assert len(LESSONS) == 6
    for lesson in LESSONS:
        text = " ".join(lesson.words).format(**facts)
        assert len(text.split()) <= 130, lesson.name
        assert " ".join(lesson.words).format(**UNKNOWN)
    assert facts["layers"] == "30"
    assert facts["vocabulary"] == "49,152"
    assert facts["feed_forward"] == "59 %"


def test_a_file_that_says_little_leaves_words_for_the_numbers(tmp_path: Path) -> None:
    write_model(tmp_path / "odd.gguf", "Odd")
    facts = facts_for(anatomy_of(tmp_path / "odd.gguf"), "Odd")
    assert facts["layers"] == UNKNOWN["layers"]
    assert facts["name"] == "Odd"


def test_one_goes_through_all_six_by_next_and_by_their_names(frame: Frame) -> None:
    page = open_page(frame)
    seen = []
    for number in range(6):
        seen.append(page.title.text())
        assert [widget.isVisible() for widget in page._live.values()].count(True) == 1
        if number < 5:
            frame.click(page.next)
    assert seen == [lesson.title for lesson in LESSONS]
    assert not page.next.isEnabled()
    frame.click(frame.button("Page: Attention"))
    assert page.title.text() == LESSONS[2].title
    assert "64 numbers" in page.words[0].text()
    formulas = lambda: [one for one in page.findChildren(FormulaView) if one.isVisible() and one.is_drawn]  # noqa: E731
    frame.wait(lambda: len(formulas()) == 1)
    frame.click(page.back)
    assert page.title.text() == LESSONS[1].title


def test_the_live_view_follows_the_text(frame: Frame, starter: Path, tmp_path: Path) -> None:
    frame.loader.load(starter)
    frame.wait(lambda: frame.loader.state == "ready")
    page = open_page(frame)
    page.show_lesson(5)
    script = tmp_path / "script" / "script.json"
    frame.wait(lambda: any(ask["text"] == EXAMPLE and ask["alternatives"] == 8 for ask in requests(script)))
    page.field.setPlainText("Twice two is")
    frame.wait(lambda: any(ask["text"] == "Twice two is" for ask in requests(script)))
    asked = len(requests(script))
    page.show_lesson(0)
    frame.wait(lambda: bool(frame.find_step(TokenFlow).pieces))
    assert len(requests(script)) == asked  # the view that is not seen asks nothing


def test_the_real_model_says_what_may_come_next(theme: Theme, qtbot: QtBot, starter: Path, tmp_path: Path) -> None:
    engine = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    for _ in engine.load(starter, Wish(context_tokens=512)):
        pass
    view = TemperatureView(context(theme, Notify(theme), Loader()), lambda _: nullcontext(engine))
    qtbot.addWidget(view)
    view.look_at("One, two, three, four,")
    qtbot.waitUntil(lambda: bool(view.guesses))
    assert view.rows[0].said.startswith("·five: ")
    assert view.note.text().startswith("The 8 likeliest")
    before = view.rows[0].said
    view.show_at("0.3")
    assert float(view.rows[0].said.split()[1]) > float(before.split()[1])
    view.clear()
    assert not view.guesses
    engine.close()


def test_a_lower_temperature_helps_the_likely_ones() -> None:
    guesses = [Guess(b" a", 0.5), Guess(b" the", 0.25), Guess(b" no", 0.0)]
    cold, warm = rescale_probabilities(guesses, 0.3), rescale_probabilities(guesses, 1.5)
    assert sum(cold) == pytest.approx(1)
    assert cold[0] > 2 / 3 > warm[0]
    assert warm[1] / warm[0] == pytest.approx(0.5 ** (1 / 1.5))
    assert rescale_probabilities(guesses, 1)[:2] == pytest.approx([2 / 3, 1 / 3])


def test_a_view_that_is_gone_hears_of_no_other_theme(theme: Theme, qtbot: QtBot) -> None:
    view = TemperatureView(context(theme, Notify(theme), Loader()), lambda _: nullcontext(None))  # type: ignore[arg-type]
    font = view.rows[0].word.font()
    theme.zoom = 2.0
    assert view.rows[0].word.font() != font
    delete(view)
    theme.zoom = 1.0
