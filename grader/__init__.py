"""The engine behind the course: it runs, diagnoses, proves, builds, trains and grades."""
