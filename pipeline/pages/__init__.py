"""Pages over many results: one a site (dates, timeline, findings) and an index of all sites."""

from pipeline.pages.write import write_index, write_site_page

__all__ = ["write_index", "write_site_page"]
