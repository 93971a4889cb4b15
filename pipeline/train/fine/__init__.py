"""The network for images of 0.4 to 3 m: what it learns from, and how it is fitted."""
