"""The commands of `freshbooks-zoho`: each reads its options, calls what does the work, and shows the outcome."""
