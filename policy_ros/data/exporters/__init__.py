"""Episodes, made into the formats of others."""
