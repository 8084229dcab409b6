"""The organization on Zoho's side: what it has, what it lacks, and what the run has to create there first."""
