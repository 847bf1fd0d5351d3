"""What people ask of the guard, and what is left to say when its process is gone."""
