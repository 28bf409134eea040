"""Who is worked and in which order: value, capacity, hold-out, suppression; knows no reasons."""
