"""Situations keep their facts, on the wire and in the log."""

from __future__ import annotations

import dataclasses
import inspect
import json
import pickle
import pkgutil
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import errors
from app.core.errors.app_error import AppError, Bug, EnvironmentProblem, to_fields
from app.core.errors.engine_errors import ProtocolViolation
from app.core.errors.error_fields import every_error, from_fields
from app.core.errors.model_errors import ModelLoadFailed

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))


def example(cls: type[AppError]) -> AppError:
    return cls(*[f"value {number}" for number, _ in enumerate(dataclasses.fields(cls))])  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
def test_every_situation_survives_the_wire(cls: type[AppError]) -> None:
    error = example(cls)
    body = json.loads(json.dumps(to_fields(error)))
    again = from_fields(cls.__name__, body)
    assert type(again) is cls
    assert to_fields(again) == to_fields(error)


def test_every_module_of_errors_is_known_to_the_wire() -> None:
    modules = [import_module(f"{errors.__name__}.{module.name}") for module in pkgutil.iter_modules(errors.__path__)]
    written = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    abstract = {AppError, Bug, EnvironmentProblem}
    assert {cls for cls in written if issubclass(cls, AppError)} - abstract == set(every_error())


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
def test_every_situation_has_a_side(cls: type[AppError]) -> None:
    assert issubclass(cls, EnvironmentProblem) != issubclass(cls, Bug)


@pytest.mark.parametrize("cls", every_error(), ids=lambda cls: cls.__name__)
def test_every_situation_can_be_raised_pickled_and_told_apart(cls: type[AppError]) -> None:
    with pytest.raises(cls):
        raise example(cls)
    again = pickle.loads(pickle.dumps(example(cls)))
    assert to_fields(again) == to_fields(example(cls))
    assert example(cls) != example(cls), "two occurrences are two"
    assert str(example(cls)).startswith(cls.__name__ + "(")


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("NoSuchThing", {}),
        ("AppError", {}),
        ("Bug", {}),
        ("EnvironmentProblem", {"path": "x"}),
        ("ModelMissing", {}),
        ("ModelMissing", {"path": "x", "more": 1}),
        ("ModelMissing", ["path"]),
        ("ModelMissing", None),
        ("ModelMissing", 5),
        ("NoModel", {"x": 1}),
        (None, {}),
        ([], {}),
    ],
)
def test_a_situation_that_is_not_known_is_a_violation(name: str, fields: dict[str, object]) -> None:
    assert isinstance(from_fields(name, fields), ProtocolViolation)


@given(ANY_TEXT)
def test_any_text_in_a_situation_can_be_logged(text: str) -> None:
    str(ModelLoadFailed(text, text)).encode("utf-8")
