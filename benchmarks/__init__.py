"""The benchmarks: what is measured, which baselines it is compared with, and how a run is judged."""
