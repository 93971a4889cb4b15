"""Write docs/licences.md and supply/groundbreak.cdx.json: python -m supply"""

from __future__ import annotations

from supply.listing import licences, sbom
from supply.parts import REPO

FILES = {REPO / "docs" / "licences.md": licences, REPO / "supply" / "groundbreak.cdx.json": sbom}

if __name__ == "__main__":
    for path, text in FILES.items():
        path.write_text(text(), encoding="utf-8")
        print(path.relative_to(REPO))
