"""Speed and memory, as ratios within one run; README.md explains the figures."""
