"""Names and kinds of paths: folders, links, pipes, names in any script."""

from __future__ import annotations

import os
import shutil

from corpus.case import PAIR, Case, Done, Yard, refused

NAMES, KINDS = "File names", "Kinds of paths"


def called(name: str) -> object:
    """Both images in a folder of this name, under this name, and the result likewise."""

    def make(yard: Yard) -> list[object]:
        before, after = f"{name}/{name} 1.tif", f"{name}/{name} 2.tif"
        yard.write(before, yard.before)
        yard.write(after, yard.after)
        return ["compare", f"./{before}", f"./{after}"]

    return make


def in_folders(yard: Yard) -> list[object]:
    """Both images in folders of their own."""
    yard.write("before/a.tif", yard.before)
    yard.write("after/a.tif", yard.after)
    return ["compare", "before", "after"]


def with_junk(yard: Yard) -> list[object]:
    """What lies beside images in real folders."""
    words = in_folders(yard)
    for name in (
        "Thumbs.db",
        "._a.tif",
        ".hidden.tif",
        "readme.txt",
        "a.tif.aux.xml",
        "a.tif.ovr.txt",
        "b.tif.part",
        "quick.jpg",
    ):
        (yard.folder / "after" / name).write_bytes(b"<PAMDataset/>" if name.endswith("xml") else b"junk")
    (yard.folder / "after" / "empty").mkdir()
    (yard.folder / "after" / "folder.tif").mkdir()
    return words


def only(*names: str) -> object:
    def make(yard: Yard) -> list[object]:
        yard.good()
        (yard.folder / "tiles").mkdir()
        for name in names:
            (yard.folder / "tiles" / name).write_bytes(b"junk")
        return ["compare", "before.tif", "tiles"]

    return make


def one_broken(yard: Yard) -> list[object]:
    words = in_folders(yard)
    (yard.folder / "after" / "b.tif").write_bytes(b"junk")
    return words


def link_loop(yard: Yard) -> list[object]:
    yard.good()
    (yard.folder / "a.tif").symlink_to("b.tif")
    (yard.folder / "b.tif").symlink_to("a.tif")
    return ["compare", "before.tif", "a.tif"]


def folder_loop(yard: Yard) -> list[object]:
    """A folder without images that holds itself."""
    yard.good()
    (yard.folder / "tiles").mkdir()
    (yard.folder / "tiles" / "again").symlink_to(yard.folder / "tiles", target_is_directory=True)
    return ["compare", "before.tif", "tiles"]


def images_in_a_loop(yard: Yard) -> list[object]:
    yard.write("before.tif", yard.before)
    yard.write("tiles/below/after.tif", yard.after)
    (yard.folder / "tiles" / "below" / "again").symlink_to(yard.folder / "tiles", target_is_directory=True)
    return ["compare", "before.tif", "tiles"]


def linked(target: str) -> object:
    def make(yard: Yard) -> list[object]:
        yard.good()
        (yard.folder / "link.tif").symlink_to(target)
        return ["compare", "before.tif", "link.tif"]

    return make


def pipe(yard: Yard) -> list[object]:
    yard.good()
    os.mkfifo(yard.folder / "pipe.tif")
    return ["compare", "before.tif", "pipe.tif"]


def pipe_among_images(yard: Yard) -> list[object]:
    words = in_folders(yard)
    os.mkfifo(yard.folder / "after" / "pipe.tif")
    return words


def typed(after: str, *more: str) -> object:
    return lambda yard: [*yard.good()[:2], after, *more]


def folder_as_image(yard: Yard) -> list[object]:
    """after.tif is a folder that holds after.tif."""
    yard.write("before.tif", yard.before)
    yard.write("after.tif/after.tif", yard.after)
    return PAIR


def out_is_a_file(yard: Yard) -> list[object]:
    yard.good()
    (yard.folder / "taken").write_text("mine")
    return [*PAIR, "--out", "taken"]


def out_under_a_file(yard: Yard) -> list[object]:
    return [*out_is_a_file(yard)[:-1], "taken/result"]


def out_is_a_loop(yard: Yard) -> list[object]:
    yard.good()
    (yard.folder / "loop").symlink_to("loop")
    return [*PAIR, "--out", "loop"]


def out_is_the_input(yard: Yard) -> list[object]:
    """The result would take the place of the images: both are called before.tif."""
    return [*in_folders(yard), "--out", "before"]


def no_leave(name: str) -> object:
    """A folder or file that this user may not read."""

    def make(yard: Yard) -> list[object]:
        words = in_folders(yard)
        (yard.folder / name).chmod(0)
        return words

    return make


def wild(yard: Yard) -> list[object]:
    in_folders(yard)
    shutil.copy(yard.folder / "after" / "a.tif", yard.folder / "after" / "b[1].tif")
    return ["compare", "before/a.tif", "after/b[1].tif"]


CASES = [
    *(
        Case(NAMES, what, called(name), Done())
        for what, name in (
            ("spaces", " two  words "), ("Arabic", "مجمع الإمام علي"), ("emoji", "🏗️ site"), ("Chinese", "工地"),
            ("accents, decomposed", "chantier e\u0301te\u0301"), ("quotes", "it's \"new\""), ("shell signs", "$(touch x);&|`"),
            ("percent and hash", "100%25#1"), ("question mark and star", "what?*"), ("a line break", "two\nlines"),
            ("brackets", "[a-z]"), ("dashes in front", "--out"), ("as an address", "https:"), ("200 letters", "n" * 200),
        )
    ),
    Case(NAMES, "a name that is also a pattern", wild, Done()),
    Case(KINDS, "folders", in_folders, Done()),
    Case(KINDS, "images among other files", with_junk, Done()),
    Case(KINDS, "empty folder", only(), refused("tiles", "no image")),
    Case(KINDS, "folder of hidden files", only(".a.tif", "_b.tif"), refused("tiles", "no image")),
    Case(KINDS, "folder of overviews and masks", only("a.tif.ovr", "a.tif.msk"), refused("tiles", "no image")),
    Case(KINDS, "one broken file in a folder", one_broken, refused("b.tif", "read")),
    Case(KINDS, "a path that is not there", typed("after.tiff"), refused("after.tiff", "after.tif meant")),
    Case(KINDS, "a pattern that matches nothing", typed("tiles/*.tif"), refused("tiles/*.tif", "no image")),
    Case(KINDS, "a file taken for a folder", typed("after.tif/tile.tif"), refused("after.tif/tile.tif", "no such file")),
    Case(KINDS, "a file with a slash behind it", typed("after.tif/"), Done()),
    Case(KINDS, "a folder called as an image", folder_as_image, Done()),
    Case(KINDS, "links in a loop", link_loop, refused("a.tif", "no such file")),
    Case(KINDS, "a folder in itself", folder_loop, refused("tiles", "no image")),
    Case(KINDS, "images in a folder in itself", images_in_a_loop, Done()),
    Case(KINDS, "a link to an image", linked("after.tif"), Done()),
    Case(KINDS, "a link to nothing", linked("gone.tif"), refused("link.tif", "no such file")),
    Case(KINDS, "a link to a device that never ends", linked("/dev/zero"), refused("link.tif", "no such file")),
    Case(KINDS, "a pipe", pipe, refused("pipe.tif", "no such file")),
    Case(KINDS, "a pipe among images", pipe_among_images, Done()),
    Case(KINDS, "a name of a thousand letters", typed("n" * 1000 + ".tif"), refused("nnn", "too long")),
    Case(KINDS, "a name with a zero byte", typed("after\0.tif"), refused("no such file")),
    Case(KINDS, "an empty name", typed(""), refused("no such file")),
    Case(KINDS, "result in place of a file", out_is_a_file, refused("taken", "--out")),
    Case(KINDS, "result below a file", out_under_a_file, refused("taken/result", "--out")),
    Case(KINDS, "result in a link to itself", out_is_a_loop, refused("loop", "--out")),
    Case(KINDS, "result in a folder of images", out_is_the_input, Done()),
    Case(KINDS, "a folder that may not be read", no_leave("after"), refused("after", "permission"), needs="unprivileged"),
    Case(KINDS, "an image that may not be read", no_leave("after/a.tif"), refused("a.tif", "ermission"), needs="unprivileged"),
]  # fmt: skip
