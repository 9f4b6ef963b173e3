"""What a run says: result types, their JSON form, and tables."""
