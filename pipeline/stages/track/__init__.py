"""Stage 6, track: findings of many dates joined into things with a history, and the site's phases."""

from pipeline.stages.track.phases import PHASES, phases
from pipeline.stages.track.things import Comparison
from pipeline.stages.track.track import COLUMNS, Looks, Seen, Timeline, Track

__all__ = ["COLUMNS", "PHASES", "Comparison", "Looks", "Seen", "Timeline", "Track", "phases"]
