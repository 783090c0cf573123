"""What is written in the program, on pages of paper: PDF files and prints."""
