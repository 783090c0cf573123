"""Other programs' libraries at work, each in a set-up of its own; what they saw is one JSON object on standard output.

They run as `CLIENT.py ADDRESS KEY MODEL EMBEDDER`, outside this program's environment.
"""
