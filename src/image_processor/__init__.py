"""Resizes every image of an upload bucket into the small pictures that pages need."""
