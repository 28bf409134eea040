"""Side-by-side benchmarks: same result first, then CPU, wall time and memory."""
