"""City hall's staff: accounts, log-in, pages."""
