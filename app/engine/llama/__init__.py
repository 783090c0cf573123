"""The only package that imports llama_cpp: library, devices, model, session, sampling, templates."""
