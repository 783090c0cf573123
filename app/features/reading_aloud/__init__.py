"""Reading aloud: which sentence is spoken, and the child that has the system's voices."""
