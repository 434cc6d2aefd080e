"""What is data is data: whatever it holds, it is told or refused, and nothing else."""
