"""Summaries, from reading sections to saving the file; `summarize` joins the parts."""
