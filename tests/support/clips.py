"""What the emulator makes of a few words."""

from batch_avatar.emulator.jobs.request import SynthesisRequest
from batch_avatar.emulator.options import EmulatorOptions
from batch_avatar.emulator.storage.clips import make_clip


def clip(video_format="mp4", video_codec="h264", *, text="Good morning.", media="minimal"):
    """Its smallest video of that format, a whole container without pictures; with `media="real"` a small one with."""
    request = SynthesisRequest.model_validate(
        {
            "inputKind": "PlainText",
            "inputs": [{"content": text}],
            "synthesisConfig": {"voice": "en-US-AvaMultilingualNeural"},
            "avatarConfig": {
                "talkingAvatarCharacter": "lisa",
                "talkingAvatarStyle": "casual-sitting",
                "videoFormat": video_format,
                "videoCodec": video_codec,
            },
        }
    )
    return make_clip(request, text, "nonce", EmulatorOptions(media=media, video_width=160, video_height=90))
