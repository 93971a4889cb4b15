"""What Groundbreak's figures rest on. `python -m benchmarks` runs what it can and writes RESULTS.md."""
