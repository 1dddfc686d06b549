"""What benchmarks stand on: a market in a database of its own, a load generator, pgbench, and how figures look."""
