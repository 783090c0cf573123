"""The least that llama.cpp needs to write an answer, as a process of its own that is asked a line at a time.

usage: plain_loop.py MODEL TOKENS THREADS QUESTION [TEMPERATURE TOP_K TOP_P MIN_P REPEAT_PENALTY]

Greedy without the values. A line is told for each of input: tokens a second, and milliseconds a token between two
decodes, by the clock and by the thread's processor time.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp
from llama_cpp import llama_cpp as c


def chain_of(vocabulary_size: int, values: Sequence[float]) -> Any:
    """llama.cpp's own chain, with what its own program puts into it by default."""
    temperature, top_k, top_p, min_p, penalty = values or (0.0, 0, 1.0, 0.0, 1.0)
    parts = [c.llama_sampler_init_penalties(vocabulary_size, 64, penalty, 0.0, 0.0)] if penalty != 1 else []
    if temperature > 0:
        parts += [c.llama_sampler_init_top_k(int(top_k)), c.llama_sampler_init_top_p(top_p, 1)]
        parts += [c.llama_sampler_init_min_p(min_p, 1), c.llama_sampler_init_temp(temperature)]
    parts.append(c.llama_sampler_init_dist(7) if temperature > 0 else c.llama_sampler_init_greedy())
    chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
    for part in parts:
        c.llama_sampler_chain_add(chain, part)
    return chain


def main(model_path: str, tokens: int, threads: int, question: str, values: Sequence[float]) -> None:
    """For each line of input the speed of one answer: no child, no wire, no events, no text cleaning."""
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
    prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n".encode()
    ids = (c.llama_token * 256)()
    count = c.llama_tokenize(vocabulary, prompt, len(prompt), ids, 256, False, True)
    sampler = chain_of(c.llama_vocab_n_tokens(vocabulary), values)
    one = (c.llama_token * 1)()
    piece = ctypes.create_string_buffer(256)
    for _ in sys.stdin:
        c.llama_memory_clear(c.llama_get_memory(context), True)
        c.llama_sampler_reset(sampler)
        c.llama_decode(context, c.llama_batch_get_one(ids, count))
        batch = c.llama_batch_get_one(one, 1)
        first_s = between_s = thread_s = 0.0
        for _ in range(tokens):
            began_s, thread_began_s = time.perf_counter(), time.thread_time()
            one[0] = c.llama_sampler_sample(sampler, context, -1)
            first_s = first_s or time.perf_counter()
            c.llama_vocab_is_eog(vocabulary, one[0])
            c.llama_token_to_piece(vocabulary, one[0], piece, 256, 0, False)
            between_s += time.perf_counter() - began_s
            thread_s += time.thread_time() - thread_began_s
            c.llama_decode(context, batch)
        rate = (tokens - 1) / (time.perf_counter() - first_s)
        print(rate, 1000 * between_s / tokens, 1000 * thread_s / tokens, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], [float(value) for value in sys.argv[5:]])
