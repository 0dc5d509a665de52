"""AI clients: where their files are, and how our entry gets into them and out again without damage."""
