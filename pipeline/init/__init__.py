"""A new site file: what is found of images and area, with every setting that people change explained."""

from pipeline.init.area import around, as_written
from pipeline.init.images import Images, find_images
from pipeline.init.write import Draft, named, write_site_file

__all__ = ["Draft", "Images", "around", "as_written", "find_images", "named", "write_site_file"]
