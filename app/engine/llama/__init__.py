"""The only package that imports llama_cpp; used by the worker alone."""
