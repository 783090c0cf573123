"""The engine's own cost: decoding through child, wire and client against a plain loop, and the wire alone.

The plain loop is this file started as a process of its own: ``engine_bench.py --plain MODEL TOKENS THREADS``.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

ALTERNATIONS = 9
TOKENS = 160
WIRE_TOKENS = 5000
QUESTION = "Write a very long story about a lighthouse and the sea."


def rows() -> Iterator[dict[str, Any]]:
    """Every measurement, ready to be printed."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _decode_rows(Path(folder))
        yield from _wire_rows(Path(folder))


def _row(name: str, value: float, unit: str, baseline: float | None, spread: str) -> dict[str, Any]:
    ratio = round(value / baseline, 3) if baseline else None
    return {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "baseline": round(baseline, 3) if baseline else None,
        "ratio": ratio,
        "spread": spread,
    }


def _spread(values: list[float]) -> str:
    return f"{min(values):.3f} – {max(values):.3f}"


def _decode_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Tokens per second of the same greedy answer, alternating which goes first; then the medians."""
    from app.core.child import own_command
    from app.core.paths import starter_model
    from app.engine.client import EngineClient

    model = starter_model()
    if model is None:
        raise FileNotFoundError("resources/models is empty: run `make setup`")
    client = EngineClient(own_command("--engine-worker"), folder / "engine")
    plain = None
    try:
        for _ in client.load(model, context_tokens=2048):
            pass
        assert client.loaded is not None
        plain = Plain(model, client.loaded.threads)
        ours: list[float] = []
        theirs: list[float] = []
        measures = [(ours, lambda: _chain_rate(client)), (theirs, plain.rate)]
        for _, measure in measures:
            measure()  # pages of the file, and the first graph
        for turn in range(ALTERNATIONS):
            for into, measure in measures if turn % 2 == 0 else reversed(measures):
                into.append(measure())
    finally:
        client.close()
        if plain is not None:
            plain.close()
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    yield _row(
        "decoding through child, wire and client",
        statistics.median(ours),
        "tokens/s",
        statistics.median(theirs),
        f"{_spread(ours)} against {_spread(theirs)}",
    )
    yield _row("decoding, median of the ratios", statistics.median(ratios), "of the plain loop", 1.0, _spread(ratios))


def _chain_rate(client: Any) -> float:
    """Tokens per second as a consumer of events sees them: from the first delta to the end."""
    from app.core.events import Finished, TextDelta
    from app.core.messages import Message, Role
    from app.engine.protocol import Sampling

    first_s = 0.0
    same_as_plain = Sampling(temperature=0, repeat_penalty=1.0)  # greedy, without the family's penalty
    events = client.generate([Message(Role.USER, QUESTION)], max_tokens=TOKENS, sampling=same_as_plain)
    for event in events:
        if isinstance(event, TextDelta) and not first_s:
            first_s = time.perf_counter()
        if isinstance(event, Finished):
            assert event.stats.generated_tokens == TOKENS, event
    return (TOKENS - 1) / (time.perf_counter() - first_s)


class Plain:
    """The plain loop's process: one rate for each line sent."""

    def __init__(self, model: Path, threads: int) -> None:
        from app.engine.client import ENVIRONMENT

        command = [sys.executable, __file__, "--plain", str(model), str(TOKENS), str(threads)]
        self._process = subprocess.Popen(
            command, env=os.environ | ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def rate(self) -> float:
        """One answer's tokens per second."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate(timeout=20)


def plain_loop(model_path: str, tokens: int, threads: int) -> None:
    """The least that llama.cpp needs, in one process: no child, no wire, no events, no text cleaning."""
    import ctypes

    import llama_cpp
    from llama_cpp import llama_cpp as c

    package = Path(llama_cpp.__file__).parent
    ggml = ctypes.CDLL(str(next(iter([*(package / "lib").glob("libggml.so.0"), *(package / "lib").glob("*ggml.*")]))))
    ggml.ggml_backend_load_all_from_path(str(package.parent / "bin").encode())
    quiet = c.llama_log_callback(lambda *_: None)
    c.llama_log_set(quiet, ctypes.c_void_p(0))
    model = c.llama_model_load_from_file(model_path.encode(), c.llama_model_default_params())
    options = c.llama_context_default_params()
    options.n_ctx, options.n_batch, options.n_ubatch = 2048, 512, 512
    options.n_threads = options.n_threads_batch = threads
    context = c.llama_init_from_model(model, options)
    vocabulary = c.llama_model_get_vocab(model)
    prompt = f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n".encode()
    ids = (c.llama_token * 256)()
    count = c.llama_tokenize(vocabulary, prompt, len(prompt), ids, 256, False, True)
    sampler = c.llama_sampler_init_greedy()
    one = (c.llama_token * 1)()
    piece = ctypes.create_string_buffer(256)
    for _ in sys.stdin:
        c.llama_memory_clear(c.llama_get_memory(context), True)
        c.llama_decode(context, c.llama_batch_get_one(ids, count))
        batch = c.llama_batch_get_one(one, 1)
        first_s = 0.0
        for _ in range(tokens):
            one[0] = c.llama_sampler_sample(sampler, context, -1)
            first_s = first_s or time.perf_counter()
            c.llama_vocab_is_eog(vocabulary, one[0])
            c.llama_token_to_piece(vocabulary, one[0], piece, 256, 0, False)
            c.llama_decode(context, batch)
        print((tokens - 1) / (time.perf_counter() - first_s), flush=True)


def _wire_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Processor time per token of both sides, with a scripted backend that answers at once."""
    from app.core.child import own_command
    from app.core.events import Finished
    from app.core.messages import Message, Role
    from app.engine.client import EngineClient

    script = folder / "script.json"
    rule = {"text": " word", "repeat": WIRE_TOKENS}
    script.write_text(json.dumps({"load": {"any_path": True, "context_tokens": 10**9}, "answers": [rule]}))
    client = EngineClient([*own_command("--engine-worker"), "--scripted", str(script)], folder / "scripted")
    costs: list[float] = []
    try:
        for _ in client.load(Path("scripted.gguf")):
            pass
        for _ in range(ALTERNATIONS):
            before_s = _processor_s(client.pid)
            for event in client.generate([Message(Role.USER, "hello")], max_tokens=WIRE_TOKENS):
                assert not isinstance(event, Finished) or event.stats.generated_tokens == WIRE_TOKENS
            costs.append((_processor_s(client.pid) - before_s) / WIRE_TOKENS * 1e6)
    finally:
        client.close()
    yield _row("wire, both sides", statistics.median(costs), "µs of processor time per token", None, _spread(costs))


def _processor_s(child: int | None) -> float:
    """Processor time used so far by this process and the child (Linux)."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return mine.ru_utime + mine.ru_stime + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plain"]:
        plain_loop(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        for row in rows():
            print(json.dumps(row, ensure_ascii=False))
