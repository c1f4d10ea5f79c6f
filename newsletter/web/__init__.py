"""Other people's web servers, asked without being led anywhere we must not go. A leaf."""
