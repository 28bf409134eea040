"""What the KPIs are called in files and settings; with nothing else, so that a wrong setting is refused before anything heavy is there."""

KPI_NAMES = (
    *("resolve_median", "resolve_mean", "resolve_median_working", "resolve_mean_working", "first_resolve_median"),
    *("first_reply_median", "first_reply_median_working", "first_contact", "reopened", "touches", "several_hands", "last_level", "csat"),
)
"""In the order in which a page shows them; see ``kpis.KPIS``."""

LOSS_NAMES = ("hand_off", "unassigned", "missing_information", "ping_pong", "double_check", "over_organised", "extra_step", "media_break")
"""The losses, as ``lost.LOSSES`` defines them."""

USUAL_EFFORT = {
    **dict.fromkeys(("unassigned", "over_organised", "extra_step", "double_check"), "now"),
    **dict.fromkeys(("missing_information", "ping_pong"), "quarter"),
    **dict.fromkeys(("hand_off", "media_break"), "half_year"),
}
"""What a remedy is taken to need where no setting says it."""
