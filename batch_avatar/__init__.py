"""Render many scripts to talking-avatar videos, archive them, and never pay twice."""
