"""A site's timeline for the tools of the IARPA SMART heavy-construction data set."""
