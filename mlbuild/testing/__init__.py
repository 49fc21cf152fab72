"""For rule authors and for us: what tests are made of."""
