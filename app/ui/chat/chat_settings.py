"""System prompt and temperature of one chat."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.core.messages import clean_text
from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

DEFAULT_TEMPERATURE = 0.7
HIGHEST_TEMPERATURE = 2.0


class ChatSettings(QDialog):
    """Asks; `system_prompt` and `temperature` are what was chosen once it is accepted."""

    def __init__(
        self, theme: Theme, system_prompt: str, temperature: float | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        px = theme.px
        self.setWindowTitle(tr("Chat settings"))
        self.setAccessibleName(tr("Chat settings"))
        self.setMinimumWidth(px(480))
        self._prompt = QPlainTextEdit(system_prompt)
        self._prompt.setAccessibleName(tr("System prompt"))
        self._prompt.setPlaceholderText(
            tr("How the model should answer in this chat, such as: Answer in one sentence.")
        )
        self._prompt.setTabChangesFocus(True)
        self._prompt.setFixedHeight(px(140))
        self._by_model = QCheckBox(tr("As the model suggests"))
        self._by_model.setChecked(temperature is None)
        self._value = QDoubleSpinBox(minimum=0, maximum=HIGHEST_TEMPERATURE, singleStep=0.1, decimals=2)
        self._value.setAccessibleName(tr("Temperature"))
        self._value.setValue(DEFAULT_TEMPERATURE if temperature is None else temperature)
        self._value.setEnabled(temperature is not None)
        self._by_model.toggled.connect(lambda is_on: self._value.setEnabled(not is_on))
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(20), px(24), px(20))
        column.setSpacing(px(8))
        column.addWidget(_heading(tr("System prompt"), theme, self._prompt))
        column.addWidget(self._prompt)
        column.addSpacing(px(8))
        column.addWidget(_heading(tr("Temperature"), theme, self._value))
        explained = QLabel(tr("Low repeats itself and keeps to the point, high surprises."), wordWrap=True)
        explained.setProperty("kind", "muted")
        explained.setFont(theme.font(13))
        column.addWidget(explained)
        row = QHBoxLayout()
        row.addWidget(self._value)
        row.addSpacing(px(12))
        row.addWidget(self._by_model)
        row.addStretch(1)
        column.addLayout(row)
        column.addSpacing(px(12))
        column.addLayout(self._buttons())

    @property
    def system_prompt(self) -> str:
        """The prompt as typed."""
        return clean_text(self._prompt.toPlainText()).strip()

    @property
    def temperature(self) -> float | None:
        """None leaves it to the model."""
        return None if self._by_model.isChecked() else round(self._value.value(), 2)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch(1)
        for text, kind, slot in ((tr("Cancel"), "plain", self.reject), (tr("Save"), "primary", self.accept)):
            button = text_button(text, kind)
            button.clicked.connect(slot)
            row.addWidget(button)
        button.setDefault(True)
        return row


def _heading(text: str, theme: Theme, buddy: QWidget) -> QLabel:
    label = QLabel(text, textFormat=Qt.TextFormat.PlainText)
    label.setFont(theme.font(14, 600))
    label.setBuddy(buddy)
    return label
