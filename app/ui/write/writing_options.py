"""Options of continuations: a popup above the button that summarizes them; choices apply at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.ui.i18n import join_sentences, tr, tr_count
from app.ui.locale_formats import format_decimal, join_facts
from app.ui.sampling_fields import SamplingFields
from app.ui.shared_labels import NEVER
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.input_fields import SegmentedControl, Stepper
from app.ui.widgets.layouts import fill_layout, name_widgets, scrolled
from app.ui.widgets.popovers import GAP_PX, FloatingPanel, room_for_popups
from app.ui.widgets.setting_rows import SettingCard
from app.ui.write.page_document import PageContent

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.continue_page import PageAsked
    from app.features.write_pages import WritingOptions, WrittenPage

ABOUT_WORDS = "About {count} words"
WORDS_OF_TOKEN = 0.7
TEMPERATURE_VALUE = "temperature {value}"
STOPS_AT = "stops at {what}"

WIDTH_PX = 560
MIDDLES = ("", "on", "off")


class PageOptions(QObject):
    """Options of the open page (`now`); length and number carry over to the next new page."""

    changed = Signal()
    """The user changed the options."""

    def __init__(self, app: Fireside, ui: UiContext, view: QWidget) -> None:
        super().__init__(view)
        self._app, self._ui, self._view = app, ui, view
        self.begin(None)

    def begin(self, page: WrittenPage | None) -> None:
        """Load the options of another page, stored or new."""
        from app.features.write_pages import WritingOptions

        last = self._app.settings.writing
        new = WritingOptions(max_tokens=last.max_tokens, count=last.count)
        self.now = WritingOptions.from_stored(page.options) if page is not None else new

    def choose(self, **values: Any) -> None:
        self.now = replace(self.now, **values)
        self.changed.emit()

    def show_sheet(self, anchor: QWidget) -> None:
        sheet = OptionsSheet(self._ui.theme, self.now, self._view, on_change=self.take_options)
        sheet.open_at(anchor)

    def take_options(self, options: WritingOptions) -> None:
        """Take the options from the popup and store them."""
        self.now = options
        with self._ui.notify.guard():
            self._app.change_settings("writing", max_tokens=options.max_tokens, count=options.count)
        self.changed.emit()

    def asked_of(self, state: PageContent, *, is_code: bool) -> PageAsked:
        """Return the request to continue a content with these options."""
        from app.features.continue_page import PageAsked

        fills = self.now.middle == "on" or (not self.now.middle and is_code)
        return PageAsked(state.text, state.cursor, self.now, fills=fills and bool(state.text[state.cursor :].strip()))


class OptionsSheet(FloatingPanel):
    """Popup of options; a click outside or Escape closes it."""

    def __init__(
        self, theme: Theme, options: WritingOptions, parent: QWidget, *, on_change: Callable[[Any], object]
    ) -> None:
        super().__init__(theme, "write_options", parent)
        self.on_change = on_change
        """Carries the current `WritingOptions`."""
        from app.features.write_pages import LONGEST_TOKENS, MOST_AT_ONCE

        self._options = options
        self.setAccessibleName(tr("How to continue the page"))
        self.length = Stepper(
            theme,
            tr("Length"),
            options.max_tokens,
            lowest=1,
            highest=LONGEST_TOKENS,
            step=16,
            on_change=lambda value: self._choose(max_tokens=int(value)),
        )
        self.count = SegmentedControl(
            theme,
            tr("Continuations"),
            [(str(number), str(number)) for number in range(1, MOST_AT_ONCE + 1)],
            str(options.count),
            lambda number: self._choose(count=int(number)),
        )
        words = (tr("In code"), tr("Always"), tr(NEVER))
        self.middle = SegmentedControl(
            theme,
            tr("Fill in"),
            list(zip(MIDDLES, words, strict=True)),
            options.middle,
            lambda middle: self._choose(middle=middle),
        )
        self.stops = QLineEdit("  ".join(_shown(stop) for stop in options.stop))
        self.stops.setAccessibleName(tr("Stop at"))
        self.sampling = SamplingFields(theme, options.sampling)
        self.stops.editingFinished.connect(lambda: self._choose(stop=stops_of(self.stops.text())))
        self.sampling.changed.connect(lambda: self._choose(sampling=_known(self.sampling.chosen)))
        self.sampling.resized.connect(self._fit_height)
        name_widgets(write_length=self.length, write_count=self.count, write_middle=self.middle, write_stops=self.stops)
        self._lay_out()

    def _lay_out(self) -> None:
        theme = self._theme
        self._inside = QWidget()
        self._inside.setObjectName("page")
        self._area = scrolled(self._inside)
        around = fill_layout(QVBoxLayout(self), self._area)
        column, card = QVBoxLayout(self._inside), SettingCard(theme)
        for name, meaning, field in (
            (tr("Length"), tr("A token is about three quarters of a word."), self.length),
            (tr("Continuations"), tr("Written together so you can choose one."), self.count),
            (tr("Fill in"), tr("Also reads the text after the cursor."), self.middle),
        ):
            card.add_row(name, meaning, field)
        stops = SettingCard(theme)
        example = tr("For example \\n\\n. Separate several with two spaces.")
        stops.add_block(tr("Stop at"), join_sentences([tr("Stops before any of these."), example]), self.stops)
        fill_layout(column, card, self.sampling, stops)
        theme.dress(around, margins=(1, 1, 1, 1))
        theme.dress(column, margins=(16, 16, 16, 16), spacing=12)
        theme.dress(self.stops, font="body")

    def open_at(self, anchor: QWidget) -> None:
        """Open at a button, as high as the window allows."""
        self._anchor = anchor
        self._fit_height()
        self.show()
        # No focus proxy: Qt would take the number out of the order, and Tab would pass the button before it.
        self.length.number.setFocus(Qt.FocusReason.PopupFocusReason)

    def _fit_height(self) -> None:
        assert self._anchor is not None
        room = room_for_popups(self._anchor)
        # Sizes depend on the style sheet, which a hidden widget doesn't have yet.
        self.ensurePolished()
        layout = self._inside.layout()
        assert layout is not None
        layout.activate()
        wide = max(self._theme.px(WIDTH_PX), layout.minimumSize().width() + 2)
        self.setFixedWidth(min(wide, room.width()))
        is_wrapping = layout.hasHeightForWidth()  # then the hint is for the least width
        wanted = (layout.totalHeightForWidth(self.width() - 2) if is_wrapping else layout.sizeHint().height()) + 2
        # Above its button, which is at the foot of the page.
        foot = self._anchor.mapToGlobal(QPoint(0, -GAP_PX)).y()
        self.setFixedHeight(min(wanted, max(foot - room.top(), self._theme.px(240))))
        self.place_again()

    def _choose(self, **values: object) -> None:
        options = replace(self._options, **values)  # type: ignore[arg-type]
        if options != self._options:
            self._options = options
            self.on_change(options)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # Leaving the field takes over what was typed in it.
            self.stops.clearFocus()
            self.close()
        else:
            super().keyPressEvent(event)


def summary_of(options: WritingOptions) -> str:
    """Return the options that matter, such as "About 45 words · 3 at once · temperature 0.7"."""
    parts = [tr_count("About {count} word", ABOUT_WORDS, words_in(options.max_tokens))]
    if options.count > 1:
        parts.append(tr("{count} at once", count=options.count))
    if (temperature := options.sampling.get("temperature")) is not None:
        parts.append(tr(TEMPERATURE_VALUE, value=format_decimal(temperature, 2, is_trimmed=True)))
    if options.stop:
        parts.append(tr(STOPS_AT, what=_shown(options.stop[0])))
    return join_facts(parts)


def words_in(tokens: int) -> int:
    """Return about how many words a model writes with so many tokens, in a round number."""
    words = tokens * WORDS_OF_TOKEN
    step = 1 if words < 10 else 5 if words < 100 else 10 ** (len(str(int(words))) - 2)
    return max(2, round(words / step) * step)


def stops_of(text: str) -> tuple[str, ...]:
    r"""Parse stop texts: separated by two spaces, with \n and \t as escapes."""
    found = (part.strip().replace("\\n", "\n").replace("\\t", "\t") for part in text.split("  "))
    return tuple(dict.fromkeys(text for text in found if text))


def _shown(stop: str) -> str:
    return stop.replace("\n", "\\n").replace("\t", "\\t")


def _known(chosen: dict[str, float]) -> dict[str, float]:
    from app.features.chat.chat_options import known_sampling

    return known_sampling(chosen)
