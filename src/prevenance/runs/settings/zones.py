"""Whether there is a time zone of a name."""

from zoneinfo import ZoneInfo, available_timezones

from prevenance.base.errors import PrevenanceError, did_you_mean


def check_zone(zone: str, key: str) -> None:
    """Raise E207 for a time zone that there is not; nothing is said of none at all."""
    try:
        ZoneInfo(zone or "UTC")
    except (ValueError, OSError, LookupError) as problem:
        near = did_you_mean(zone, available_timezones()).partition("choose one of: ")
        word = key.rpartition(".")[2]
        fix = f"write {word}: Europe/Paris, or another name of that kind, such as UTC or America/New_York" if near[1] else near[0]
        raise PrevenanceError("E207", f'no time zone is called "{zone[:60]}"', key=key, fix=fix) from problem
