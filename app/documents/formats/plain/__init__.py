"""Plain text: prose, code, LaTeX sources and subtitles."""
