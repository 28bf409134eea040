"""How good it is: metrics, intervals, evaluation, slices, leakage, drift, reliability, outcomes."""
