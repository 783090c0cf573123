"""Which packages are installed: each folder of app/ with Python in it, and the resources as one of their own.

Here and not in pyproject.toml, where a list would be a further place to touch for every new folder. The changelog, a
page of the help, is put beside the resources.
"""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

RESOURCES = "fireside_resources"


class ResourceBuild(build_py):
    """Copies the packages, and the changelog into that of the resources."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:  # then the checkout itself is used
            shutil.copyfile("CHANGELOG.md", Path(self.build_lib, RESOURCES, "CHANGELOG.md"))


setup(
    packages=[*find_packages(include=["app", "app.*"]), RESOURCES],
    cmdclass={"build_py": ResourceBuild},
)
