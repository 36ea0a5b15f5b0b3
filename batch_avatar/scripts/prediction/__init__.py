"""What a script will take: seconds of video, seconds of rendering, billed characters, and which prices apply. All pure.

Begin with `predictor.py`.
"""
