"""What can go wrong for a user. One line each: what, where, and how to mend it."""

from __future__ import annotations


class GroundbreakError(Exception):
    """Base of every error that a user can mend; the command line prints it as one line and exits with 1."""


class SourceNotFoundError(GroundbreakError):
    """A path, glob or date that names no image."""


class SourceUnreadableError(GroundbreakError):
    """A file that is there but cannot be read as what it should be."""


class SourceChangedError(GroundbreakError):
    """An image that became another one while it was read."""


class GeoreferenceError(GroundbreakError):
    """An image without a usable CRS or transform."""


class NoOverlapError(GroundbreakError):
    """Images, or an image and the area of interest, that share no ground."""


class AreaError(GroundbreakError):
    """An area of interest or zone that is empty or not an area."""


class BandError(GroundbreakError):
    """A band that is asked for and not there, or too few bands in common."""


class NothingObservedError(GroundbreakError):
    """No pixel was observed on both dates: clouds, masks or nodata cover all of it."""


class AlignmentRejectedError(GroundbreakError):
    """The two images could not be aligned well enough to be compared."""


class ModelError(GroundbreakError):
    """A detector's model that is not there, or not what it should be."""


class ConfigError(GroundbreakError):
    """A site file with something wrong in it; the message lists all that is wrong, a line each."""


class OutputError(GroundbreakError):
    """Results that cannot be written where they were asked for."""


class ResultError(GroundbreakError):
    """A result that cannot be checked or made again by what its run.json says."""


class TooLargeError(GroundbreakError):
    """A comparison for which there is not enough memory, however small its blocks."""


class ClusterError(GroundbreakError):
    """A Dask scheduler that does not answer, or workers that died."""


class CatalogueError(GroundbreakError):
    """A STAC catalogue or API that does not answer, or answers what no catalogue would."""


class MissingExtraError(GroundbreakError):
    """Something that needs a package which is not installed."""


class NotAllowedError(GroundbreakError):
    """A file or a server that is not trusted with what it asks for; the message names what would allow it."""


class DeliveryError(GroundbreakError):
    """An alert that was not taken. `later`: it is worth trying again, `wait_s` seconds from now or later."""

    def __init__(self, reason: str, *, later: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.later = later
        self.wait_s = wait_s


class StoppedError(BaseException):
    """The process was told to end, by the signal of this `number`. Not an Exception, so that nobody takes it
    for a fault and goes on.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.number = number
