"""Real, playable clips: a drawn presenter who speaks the text, made in this process without a network.

Knows: sound, pictures, subtitles, containers. Must not know: jobs or requests of the service. Begin with `render.py`.
"""
