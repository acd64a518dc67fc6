"""What the benchmarks share: processes, databases, a served register, load, and figures."""
