"""Several processes of the app behind a proxy, on one database, while one of them is killed."""
