"""Models beside each other: figures of real tiny ones, and a power law that is known before."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.child import own_command
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.inside.compare import Compared, Comparing, compare, line_of, line_through
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
    assert found.loss(sizes[0]) == pytest.approx(factor * sizes[0] ** -exponent, rel=1e-3)
    assert math.isnan(found.uncertainty) if len(sizes) == 2 else found.uncertainty < 1e-2


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


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineClient]:
    client = EngineClient(own_command("--engine-worker"), tmp_path / "engine")
    yield client
    client.close()


def test_several_models_read_one_text_and_a_broken_one_costs_only_itself(engine: EngineClient, tmp_path: Path) -> None:
    paths = [make_tiny(kind, tmp_path / f"{kind}.gguf") for kind in ("llama", "experts")]
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    events = list(compare(engine, [paths[0], broken, paths[1]], TEXT, cancel=CancelToken()))
    found = [event for event in events if isinstance(event, Compared)]
    assert [one.error is None for one in found] == [True, False, True]
    assert [one.name for one in found if one.error is None] == ["Tiny llama", "Tiny experts"]
    for one in found[::2]:
        assert one.parameters > 0
        assert one.tokens >= len(TEXT)
        assert one.bits_per_byte == pytest.approx(math.log2(one.perplexity), rel=1e-2)  # each token is a letter here
        assert one.tokens_per_s > 0
    assert [event.number for event in events if isinstance(event, Comparing)][-1] == 2
    line = line_of(found)
    assert line is not None
    assert math.isnan(line.uncertainty)


def test_stop_ends_it_between_two_models(engine: EngineClient, tmp_path: Path) -> None:
    path = make_tiny("llama", tmp_path / "tiny.gguf")
    cancel, found = CancelToken(), list[object]()
    for event in compare(engine, [path, path], TEXT, cancel=cancel):
        found.append(event)
        if isinstance(event, Compared):
            cancel.cancel()
    assert len([event for event in found if isinstance(event, Compared)]) == 1
