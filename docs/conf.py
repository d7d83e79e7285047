"""The site: ``sphinx-build -W --keep-going docs build/site`` (``pip install '.[docs]'``)."""

import os
import re
import sys
from pathlib import Path

from sphinx.util import logging

import alphacut

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS))

project = "alphacut"
author = copyright = "The alphacut authors"
release = version = alphacut.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "**/GALLERY_HEADER.rst", "pictures"]
templates_path = ["_templates"]
nitpicky = True
# Types are told in words, such as "(H, W) uint8 ndarray", which are no names.
nitpick_ignore_regex = [("py:(class|exc|obj|data|attr)", ".*")]
nitpick_ignore = [("py:mod", "multiprocessing")]

html_theme = "furo"
html_title = "alphacut"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "../python/alphacut/server/static/icon.svg"
html_show_sourcelink = False
html_show_sphinx = False
# Text that a gallery's code writes, and what the terminal shows, is not copied along.
copybutton_exclude = ".linenos, .gp, .go"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say more: shapes, units, ranges
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

sphinx_gallery_conf = {
    "examples_dirs": ["../examples/gallery"],
    "gallery_dirs": ["gallery"],
    "subsection_order": ["../examples/gallery/tasks", "../examples/gallery/stages"],
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("alphacut",),
    "download_all_examples": False,
    "show_signature": False,
    "capture_repr": (),
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "reset_modules": ("matplotlib", "_figures.reset"),
}

# Pages whose text stands elsewhere in the repository, where its readers look for it first.
ELSEWHERE = {
    "benchmarks": "benchmarks/README.md",
    "speed": "benchmarks/speed.md",
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "guides/training": "training/README.md",
}


LINK = re.compile(r"(?<!`)(!?)\[([^\]]*)\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def read(app, docname, source):
    """Take the text of a page from where it stands, and let its links lead to pages of the site.

    A link to a file that is no page becomes its text alone; one to nothing is a warning.
    """
    file = DOCS / f"{docname}.md"
    if not file.exists() or docname.startswith("gallery/"):
        return
    origin = ROOT / ELSEWHERE[docname] if docname in ELSEWHERE else file
    pages = {(ROOT / path).resolve(): DOCS / f"{name}.md" for name, path in ELSEWHERE.items()}

    def page(match):
        image, text, target, anchor = match.groups()
        path = (origin.parent / target).resolve()
        if not path.exists() and DOCS / "gallery" not in path.parents:
            logging.getLogger(__name__).warning("%s: no such file: %s", origin, target)
        path = pages.get(path, path)
        if not (image or DOCS in path.parents):
            return text
        return f"{image}[{text}]({os.path.relpath(path, file.parent)}{anchor or ''})"

    app.env.note_dependency(str(origin))
    source[0] = LINK.sub(page, origin.read_text(encoding="utf-8"))


def skip(app, what, name, obj, skip, options):
    """Leave out the fields of named tuples and data classes: their docstrings list them as attributes."""
    return True if type(obj).__name__ in ("_tuplegetter", "member_descriptor") else None


def setup(app):
    app.connect("source-read", read)
    app.connect("autodoc-skip-member", skip)
