"""URLs of renditions and their signatures. Pure, and runs on Python 3.9, where deployment/sign.py may run."""
