"""The least that llama.cpp needs to write an answer, as a process of its own that is asked a line at a time.

usage: plain_loop.py MODEL TOKENS THREADS QUESTION
"""

from __future__ import annotations

import ctypes
import sys
import time
from pathlib import Path

import llama_cpp
from llama_cpp import llama_cpp as c


def main(model_path: str, tokens: int, threads: int, question: str) -> None:
    """For each line of input the tokens per second of one answer: no child, no wire, no events, no text cleaning."""
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


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
