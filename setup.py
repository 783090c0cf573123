"""Which packages are installed: each folder of app/ with Python in it, and the resources as one of their own.

Here and not in pyproject.toml, where a list would be a further place to touch for every new folder.
"""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["app", "app.*"]), "fireside_resources"])
