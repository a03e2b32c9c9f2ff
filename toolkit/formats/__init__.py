"""Every file is opened, recognised, read and written here."""
