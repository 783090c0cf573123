"""What a summary is made of, from sections that are read to the file that is saved; `summarize` joins the parts."""
