"""What becomes of each record: read, matched, planned, written (or printed), followed up."""
