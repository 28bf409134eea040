"""What the KPIs are called in files and settings; with nothing else, so that a wrong setting is refused before anything heavy is there."""

KPI_NAMES = (
    *("resolve_median", "resolve_mean", "resolve_median_working", "resolve_mean_working", "first_resolve_median"),
    *("first_reply_median", "first_reply_median_working", "first_contact", "reopened", "touches", "several_hands", "last_level", "csat"),
)
"""In the order in which a page shows them; see ``kpis.KPIS``."""
