"""Is it still right: events that dry up, chances and inputs beside the past, realised outcomes, and one decision."""
