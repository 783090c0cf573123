"""Every situation has its words."""

from __future__ import annotations

import dataclasses

import pytest

from app.core import errors
from app.features.messages import sentence_for

EXAMPLES = {
    "source": "/texts/source.txt",
    "reference": "/texts/reference.txt",
    "path": "/tmp/folder/model.gguf",
    "reason": "empty",
    "detail": "last words",
    "exit_code": -9,
}
ACTIONS = {"network", "models", "storage", "", "open_model", "new_chat", "retry", "settings", "open_folder"}


def example(cls: type[errors.AppError]) -> errors.AppError:
    return cls(**{f.name: EXAMPLES.get(f.name, 3) for f in dataclasses.fields(cls)})  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", errors.every_error(), ids=lambda cls: cls.__name__)
def test_every_error_has_a_sentence(cls: type[errors.AppError]) -> None:
    sentence = sentence_for(example(cls))
    assert "itself" not in sentence.text, "fell through to the sentence for defects"
    assert sentence.text.endswith((".", "?"))
    assert "!" not in str(sentence)
    assert sentence.action in ACTIONS


@pytest.mark.parametrize(
    "reason",
    ["empty", "not_gguf", "truncated", "vocabulary_only", "damaged", "newer_format", "not_a_file", "denied"],
)
def test_every_reason_of_an_unreadable_model_reads_differently(reason: str) -> None:
    sentence = sentence_for(errors.ModelUnreadable("/x/model.gguf", reason))
    assert "model.gguf" in sentence.text
    assert "cannot be read" not in sentence.text


def test_a_model_of_an_unknown_kind_names_the_kind() -> None:
    detail = "llama_model_load: error loading model: unknown model architecture: 'fireside9000'\nfailed to load model"
    assert "fireside9000" in sentence_for(errors.ModelLoadFailed("/x/model.gguf", detail)).text
    assert "memory" in sentence_for(errors.ModelLoadFailed("/x/model.gguf", "out of memory")).text


def test_an_unknown_reason_still_has_a_sentence() -> None:
    assert "model.gguf" in sentence_for(errors.ModelUnreadable("/x/model.gguf", "from the future")).text


def test_a_defect_says_that_it_is_one_and_shows_no_trace() -> None:
    text = str(sentence_for(ZeroDivisionError("division by zero")))
    assert "Fireside itself" in text
    assert "division" not in text


def test_a_prompt_that_is_too_long_names_both_numbers() -> None:
    text = sentence_for(errors.PromptTooLong(12345, 8192)).text
    assert "12,345" in text
    assert "8,192" in text
