"""What a summary is made of, from the sections that are read to the file that is saved; `summarize` puts it together."""
