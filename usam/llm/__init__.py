"""Language models and the backends that run them."""
