"""The documentation site: `sphinx-build -W docs site`."""

from importlib.metadata import version as _version

project = "bakeoff"
release = _version("bakeoff")
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"bakeoff {release}"
myst_heading_anchors = 4
exclude_patterns = ["examples"]
