"""A value for each property of a script that does not take just any text."""

EXAMPLES = {
    "custom_voices": {"a": "b"},
    "scene": {"zoom": 2},
    "video_crop": {"top_left": {"x": 1, "y": 1}, "bottom_right": {"x": 2, "y": 2}},
    "avatar_position": {"x": 1, "y": 1},
    "avatar_size": {"x": 1, "y": 1},
    "resolution": {"x": 1, "y": 1},
    "extra_properties": {"avatarConfig": {"gaze": "left"}},
    "customized": True,
    "use_built_in_voice": True,
    "photo_avatar_base_model": "vasa-1",
    "video_format": "mp4",
    "video_codec": "h264",
    "bitrate_kbps": 1,
    "subtitle_type": "none",
    "time_to_live_in_hours": 1,
}
