"""Models beside each other: figures of real tiny ones, and a power law that is known before."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.child import own_command
from app.core.errors.model_errors import ModelDamaged, ModelMissing, ModelUnreadable
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.inside.model_comparison import (
    STUDENT,
    ComparedModel,
    ComparisonStep,
    ModelFigures,
    best_of,
    compare_models,
    find_candidates,
    line_of,
    line_through,
    table_of,
)
from tests.helpers.engine import scripted_client
from tests.helpers.models_on_disk import write_model
from tests.helpers.tiny_models import make_tiny

TEXT = "abcabcabcxyz" * 12


@given(
    st.floats(0.01, 1.5), st.floats(0.1, 50), st.lists(st.integers(1_000, 10**12), min_size=2, max_size=9, unique=True)
)
def test_a_known_exponent_is_found(exponent: float, factor: float, sizes: list[int]) -> None:
    found = line_through([(size, factor * size**-exponent) for size in sizes])
    if found is None:
        return
    assert found.exponent == pytest.approx(exponent, abs=1e-3)
    assert found.loss_at(sizes[0]) == pytest.approx(factor * sizes[0] ** -exponent, rel=1e-3)
    assert math.isnan(found.uncertainty) or found.uncertainty < 1e-2


def test_scattered_points_say_how_sure_the_exponent_is() -> None:
    sizes = [10**exponent for exponent in range(6, 12)]
    points = [(size, size**-0.1 * (1.05 if at % 2 else 0.95)) for at, size in enumerate(sizes)]
    found = line_through(points)
    assert found is not None
    assert abs(found.exponent - 0.1) < 2 * found.uncertainty
    assert found.uncertainty > 0.001


@pytest.mark.parametrize("points", [[], [(10, 1.0)], [(10, 1.0), (10, 2.0)], [(10, 1.0), (20, math.nan)]])
def test_what_no_line_goes_through_has_none(points: list[tuple[float, float]]) -> None:
    assert line_through(points) is None


def test_the_line_is_surest_in_the_middle_of_its_points() -> None:
    sizes = [10**exponent for exponent in range(6, 12)]
    found = line_through([(size, size**-0.1 * (1.05 if at % 2 else 0.95)) for at, size in enumerate(sizes)])
    assert found is not None
    assert found.exponents is not None
    low, high = found.exponents
    assert high - found.exponent == pytest.approx(STUDENT[3] * found.uncertainty)  # six points, two are used up
    assert low < 0.1 < high
    widths = [math.log(upper / lower) for lower, upper in map(found.confidence_band, (10**3, 10**8.5, 10**14))]
    assert widths[1] < widths[0]
    assert widths[1] < widths[2]
    assert all(found.confidence_band(size)[0] < found.loss_at(size) < found.confidence_band(size)[1] for size in sizes)


@pytest.mark.parametrize("points", [[(10, 2.0), (100, 1.0)], [(10, 2.0), (10, 2.1), (100, 1.0), (101, 1.1)]])
def test_two_sizes_say_nothing_about_the_exponent(points: list[tuple[float, float]]) -> None:
    found = line_through(points)
    assert found is not None
    assert found.exponents is None
    assert line_through([*points, (1000, 0.5)]).exponents is not None  # type: ignore[union-attr]


def one(name: str, bits: float, speed: float, **more: Any) -> ModelFigures:
    return ModelFigures(Path(f"{name}.gguf"), name, 10**6, bits, 8.0, 100, speed, 0.5, 10**9, 4096, **more)


def test_the_best_is_the_one_that_foresees_best_of_those_that_are_quick_enough() -> None:
    failed = ModelFigures(Path("x"), "x", 0, error=ModelMissing("x"))
    found = [one("small", 1.2, 90), one("middle", 1.0, 12), one("large", 0.8, 3), failed, one("odd", math.nan, 50)]
    assert best_of(found, 10) is found[1]
    assert best_of(found, 0) is found[2]
    assert best_of(found, 100) is None


def test_the_table_has_a_line_for_each_and_no_figures_for_who_failed() -> None:
    failed = ModelFigures(Path("x"), "x", 0, error=ModelMissing("x"))
    lines = list(csv.reader(io.StringIO(table_of([one("a, b", 1.25, 90), failed], ["A, with a comma", "x"]))))
    assert lines[0][:3] == ["model", "parameters", "bits_per_byte"]
    assert lines[1][:3] == ["A, with a comma", "1000000", "1.25"]
    assert lines[2] == ["x"] + [""] * (len(lines[0]) - 1)


def test_candidates_say_what_they_need_or_what_is_wrong_with_them(tmp_path: Path) -> None:
    good, broken = make_tiny("llama", tmp_path / "good.gguf"), tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    found = list(find_candidates([(good, "Good", False), (broken, "Broken", True)], CancelToken()))
    assert [type(one) for one in found] == [ComparedModel, ComparedModel]
    assert found[0].needed_bytes > found[0].size_bytes > 4 * found[0].parameters > 0
    assert isinstance(found[1].error, ModelUnreadable)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineClient]:
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    yield client
    client.close()


def test_several_models_read_one_text_and_a_broken_one_costs_only_itself(engine: EngineClient, tmp_path: Path) -> None:
    paths = [make_tiny(kind, tmp_path / f"{kind}.gguf") for kind in ("llama", "experts")]
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    events = list(compare_models(engine, [paths[0], broken, paths[1]], TEXT, cancel=CancelToken()))
    found = [event for event in events if isinstance(event, ModelFigures)]
    assert [one.error is None for one in found] == [True, False, True]
    assert [one.name for one in found if one.error is None] == ["Tiny llama", "Tiny experts"]
    for one in found[::2]:
        assert one.parameters > 0
        assert one.tokens >= len(TEXT)
        assert one.bits_per_byte == pytest.approx(math.log2(one.perplexity), rel=1e-2)  # each token is a letter here
        assert one.tokens_per_s > 0
    told = [event for event in events if isinstance(event, ComparisonStep)]
    assert told[-1].number == 2
    assert list(dict.fromkeys(event.doing for event in told if event.number == 0)) == ["loading", "reading", "writing"]
    assert engine.loaded is None
    line = line_of(found)
    assert line is not None
    assert math.isnan(line.uncertainty)


def test_one_that_ends_the_child_costs_only_itself(tmp_path: Path) -> None:
    rules = [{"any_path": True, "crash": "abort", "times": 1}, {"any_path": True, "weights": 5}]
    client = scripted_client(tmp_path / "scripted", {"load": rules})
    paths = [tmp_path / "hostile.gguf", tmp_path / "good.gguf"]
    for path in paths:
        write_model(path)
    found = [
        event for event in compare_models(client, paths, TEXT, cancel=CancelToken()) if isinstance(event, ModelFigures)
    ]
    client.close()
    assert isinstance(found[0].error, ModelDamaged)
    assert found[1].error is None
    assert found[1].parameters == 5


def test_a_text_of_one_token_has_no_figure() -> None:
    lines = table_of([one("short", math.nan, 10)]).splitlines()
    assert lines[1].startswith("short,1000000,,")


def test_stop_ends_it_between_two_models(engine: EngineClient, tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "tiny.gguf")
    cancel, found = CancelToken(), list[object]()
    for event in compare_models(engine, [path, path], TEXT, cancel=cancel):
        found.append(event)
        if isinstance(event, ModelFigures):
            cancel.cancel()
    assert len([event for event in found if isinstance(event, ModelFigures)]) == 1


def test_an_engine_that_is_let_go_of_ends_it_at_once(engine: EngineClient, tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "tiny.gguf")
    cancel, found = CancelToken(), list[object]()
    for event in compare_models(engine, [path, path], TEXT * 200, cancel=cancel):
        found.append(event)
        if isinstance(event, ComparisonStep) and event.doing == "reading":
            cancel.cancel()
            engine.let_go()
    assert not any(isinstance(event, ModelFigures) for event in found)
