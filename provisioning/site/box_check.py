"""Every mistake in the file of one box: its types, and the sense of what is sound. Pure."""

from __future__ import annotations

from provisioning.site.box_types import CheckedSite, sections, types_of_box
from provisioning.site.checks import site_mistakes
from provisioning.site.file import SiteFile
from provisioning.site.lone import lone_mistakes
from provisioning.site.mistake_errors import as_error
from provisioning.site.model import Site


def check_box(file: SiteFile) -> CheckedSite:
    """The file of one box, its types and its sense."""
    if "boxes" in file.tree or "box" not in file.tree:
        return types_of_box(file)
    site, mistakes = sections(file.tree)
    sense = [*site_mistakes(site), *lone_mistakes(file.tree)]
    found = [as_error(one, file, Site) for one in mistakes] + [as_error(one, file) for one in sense]
    return CheckedSite(None if found else site, found)
