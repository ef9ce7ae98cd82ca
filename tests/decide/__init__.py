"""What follows from requirements and evidence."""
