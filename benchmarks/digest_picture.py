"""How planning grows with the readers, drawn as docs/digest-planning.svg."""

from collections.abc import Sequence
from math import log10
from pathlib import Path
from typing import Any

from benchmarks.stage import ROOT

PATH = ROOT / "docs" / "digest-planning.svg"
WIDTH, HEIGHT = 760, 300
# Where the two drawings stand, and how large each is.
LEFTS, TOP, WIDE, HIGH = (64, 444), 66, 280, 170


def draw(runs: Sequence[dict[str, Any]]) -> Path:
    """Draw seconds and memory of each run over its readers, and return where that is."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        ' aria-labelledby="title" font-family="system-ui, sans-serif" font-size="13">',
        f'<title id="title">{_summary(runs)}</title>',
        "<style>text{fill:#1f2933}.quiet{fill:#52606d}.grid{stroke:#cbd2d9}.line{fill:none;"
        "stroke:#0b6e66;stroke-width:2.5}.dot{fill:#0b6e66}"
        "@media (prefers-color-scheme:dark){text{fill:#f0f4f8}.quiet{fill:#b8c4ce}"
        ".grid{stroke:#52606d}.line{stroke:#5cc9bd}.dot{fill:#5cc9bd}}</style>",
    ]
    parts += _drawing(runs, LEFTS[0], "plan_seconds", "Seconds to plan", logarithmic=True)
    parts += _drawing(runs, LEFTS[1], "peak_rss_mib", "Most memory, MiB", logarithmic=False)
    parts.append("</svg>")
    PATH.write_text("\n".join(parts) + "\n")
    return PATH


def _summary(runs: Sequence[dict[str, Any]]) -> str:
    told = "; ".join(
        f"{run['readers']:,} readers: {run['plan_seconds']} s, {run['peak_rss_mib']} MiB"
        for run in runs
    )
    return f"Planning a digest run. {told}."


def _drawing(
    runs: Sequence[dict[str, Any]], left: int, key: str, name: str, *, logarithmic: bool
) -> list[str]:
    values = [float(run[key]) for run in runs]
    most = max(values)
    # A straight line rising by as much as the readers do means: each costs the same.
    low = log10(max(min(values), 0.1)) if logarithmic else 0.0
    span = (log10(max(most, 0.2)) - low if logarithmic else most) or 1.0
    first, last = log10(runs[0]["readers"]), log10(runs[-1]["readers"])

    def place(readers: int, value: float) -> tuple[float, float]:
        across = (log10(readers) - first) / ((last - first) or 1.0)
        up = ((log10(max(value, 0.1)) if logarithmic else value) - low) / span
        return left + across * WIDE, TOP + HIGH - up * HIGH

    points = [place(run["readers"], value) for run, value in zip(runs, values, strict=True)]
    found = [
        f'<text x="{left}" y="30" font-size="16" font-weight="600">{name}</text>',
        f'<line class="grid" x1="{left}" y1="{TOP + HIGH}" x2="{left + WIDE}" y2="{TOP + HIGH}"/>',
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    found.append(f'<polyline class="line" points="{line}"/>')
    for (x, y), run, value in zip(points, runs, values, strict=True):
        anchor, at, high = ("end", x - 9, y + 4) if x == left else ("middle", x, y - 12)
        found += [
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>',
            f'<text x="{at:.1f}" y="{high:.1f}" text-anchor="{anchor}">{value:g}</text>',
            f'<text class="quiet" x="{x:.1f}" y="{TOP + HIGH + 22}" text-anchor="middle">'
            f"{_short(run['readers'])}</text>",
        ]
    under = f"readers{', both scales logarithmic' if logarithmic else ''}"
    found.append(
        f'<text class="quiet" x="{left + WIDE / 2}" y="{TOP + HIGH + 46}" text-anchor="middle">'
        f"{under}</text>"
    )
    return found


def _short(readers: int) -> str:
    if readers >= 1_000_000:
        return f"{readers / 1_000_000:g} M"
    return f"{readers / 1000:g} k"
