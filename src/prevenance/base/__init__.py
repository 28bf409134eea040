"""What knows nothing of the field: errors, files written whole, locks, memory, keys, frames as bytes."""
