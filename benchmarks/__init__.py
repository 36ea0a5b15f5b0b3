"""What is measured, against which baselines, by which judge."""
