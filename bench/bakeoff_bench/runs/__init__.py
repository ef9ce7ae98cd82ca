"""What is done with stored load runs: compared, combined, exported."""
