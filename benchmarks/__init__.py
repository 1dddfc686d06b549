"""What the exchange is measured with: one module a benchmark, each with `run(short)`, which yields figures."""
