"""What the app needs in Azure, and the checks that need no Azure."""
