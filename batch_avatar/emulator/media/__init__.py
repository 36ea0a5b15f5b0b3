"""Real, playable clips for the emulator: a drawn presenter who speaks the text, without a network."""

from batch_avatar.emulator.media.model import Clip, ClipRequest
from batch_avatar.emulator.media.render import render_clip

__all__ = ["Clip", "ClipRequest", "render_clip"]
