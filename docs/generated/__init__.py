"""Parts of pages that are made from the code when the pages are built, so that they cannot fall behind."""
