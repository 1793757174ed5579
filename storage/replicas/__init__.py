"""What several processes of the app on one database share."""
