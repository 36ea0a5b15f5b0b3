"""Pictures that show what was asked for: a crop, a photo avatar, a character, a style."""

import json
import os
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from batch_avatar.emulator.jobs import catalog
from batch_avatar.emulator.jobs.validation import parse_request
from batch_avatar.emulator.media.groups import Look
from batch_avatar.emulator.media.model import Box
from batch_avatar.emulator.options import EmulatorOptions
from batch_avatar.emulator.storage.clips import make_clip
from tests.support.independent_decoder import convert, decode_errors, probe

OPTIONS = EmulatorOptions(media="real")
SIZE = (640, 360)
WHITE = (255, 255, 255, 255)
LISA = {"talkingAvatarCharacter": "lisa", "talkingAvatarStyle": "casual-sitting"}
SPOKEN = [
    ("fr-FR-DeniseNeural", "Où est l'été à Besançon? Près de l'île."),
    ("ja-JP-NanamiNeural", "今日は良い天気ですね、東京タワーへ行きましょう。"),
    ("zh-CN-XiaoxiaoNeural", "今天我们将介绍如何把文字变成视频，字幕会自动换行。"),
    ("ar-SA-ZariyahNeural", "مرحبا بالعالم، هذا فيديو رقم 42 من Azure (النسخة 2.5)."),
    ("hi-IN-SwaraNeural", "नमस्ते दुनिया, यह हिन्दी का एक परीक्षण है: क्षत्रिय, किताब।"),
]
WITHOUT_STYLE = ("celine", "malik", "nia", "rowan")  # standard-avatars.md, 09/2026
AMARA = {"talkingAvatarCharacter": "amara", "photoAvatarBaseModel": "vasa-1"}


def render(avatar, *, voice="en-US-AvaMultilingualNeural", text="A short text.", **options):
    body = {
        "inputKind": "PlainText",
        "inputs": [{"content": text}],
        "synthesisConfig": {"voice": voice},
        "avatarConfig": {"videoCodec": "h264", "subtitleType": "none", **avatar},
    }
    request = parse_request(json.dumps(body).encode(), OPTIONS)
    return make_clip(request, text, "nonce", OPTIONS.model_copy(update=options)).video


def crop(left, top, right, bottom):
    return {"videoCrop": {"topLeft": {"x": left, "y": top}, "bottomRight": {"x": right, "y": bottom}}}


def first_picture(video, after=0):
    seen = probe(video)
    raw = convert(video, "-an", "-ss", str(after), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24")
    return Image.frombytes("RGB", (seen.width, seen.height), raw)


def draw(character, style, *, photo=False, size=SIZE):
    look = Look(
        character=character,
        style=style,
        video_codec="h264",
        background=WHITE,
        frame=size,
        box=Box(0, 0, *size),
        photo=photo,
        bitrate_kbps=2000,
    )
    return look.draw(0).convert("RGB")


def share_of_difference(one, other):
    """Return the share of pixels that a person would call different."""
    red, green, blue = ImageChops.difference(one, other).split()
    most = ImageChops.lighter(red, ImageChops.lighter(green, blue))
    different = most.point(lambda value: 255 * (value > 24))
    return different.histogram()[255] / (one.width * one.height)


def below_the_label(picture):
    return picture.crop((0, picture.height // 5, picture.width, picture.height))


def test_a_crop_is_that_part_of_the_frame():
    whole, cropped = first_picture(render(LISA)), first_picture(render({**LISA, **crop(600, 0, 1320, 1080)}))

    assert cropped.size == (240, 360)
    part = whole.crop((200, 0, 440, 360))
    assert share_of_difference(below_the_label(cropped), below_the_label(part)) < 0.02


@pytest.mark.parametrize(
    ("corners", "size"),
    [
        ((480.5, 270, 1440, 810.5), (320, 180)),
        ((900, 500, 901, 501), (64, 64)),
        ((1900, 1000, 5000, 5000), (64, 64)),
        ((-300, -300, 960, 540), (320, 180)),
        ((2000, 0, 2400, 1080), (64, 360)),
    ],
)
def test_any_crop_gives_a_film(corners, size):
    video = render({**LISA, **crop(*corners)})

    assert decode_errors(video) == ""
    assert (probe(video).width, probe(video).height) == size


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_the_smallest_crop_suits_every_encoder(codec):
    assert decode_errors(render({**LISA, **crop(0, 0, 1, 1), "videoCodec": codec})) == ""


def test_a_photo_avatar_is_square_and_so_is_its_crop_counted():
    whole = first_picture(render(AMARA, video_width=1920, video_height=1080))
    half = first_picture(render({**AMARA, **crop(0, 256, 512, 512)}))

    assert whole.size == (512, 512)
    assert half.size == (512, 256)
    lower = whole.crop((0, 256, 512, 512))
    assert share_of_difference(below_the_label(half), below_the_label(lower)) < 0.02


@pytest.mark.parametrize("character", sorted(name for name, styles in catalog.STYLES.items() if len(styles) > 1))
def test_styles_of_one_character_can_be_told_apart_without_their_labels(character):
    pictures = [below_the_label(draw(character, style)) for style in sorted(filter(None, catalog.STYLES[character]))]

    assert min(share_of_difference(one, other) for one, other in combinations(pictures, 2)) > 0.05


@pytest.mark.parametrize("character", WITHOUT_STYLE)
def test_characters_without_styles_stand_in_full(character):
    """Their feet are seen: something dark at the lower edge, and nothing but the background beside it."""
    lower = draw(character, None).crop((0, 340, 640, 352))

    assert lower.crop((300, 0, 340, 12)).convert("L").getextrema()[0] < 60
    assert lower.crop((0, 0, 250, 12)).getextrema() == ((255, 255),) * 3


def test_a_label_names_character_and_style():
    """Two names with the same figure: only the label tells them apart."""
    with_style, without, other = (
        draw("a name of ours", style).crop((0, 0, SIZE[0], SIZE[1] // 5)) for style in ("x", None, "y")
    )

    assert len({picture.tobytes() for picture in (with_style, without, other)}) == 3


def test_no_two_looks_are_the_same_and_all_can_be_looked_at(tmp_path):
    """Make sheets of all looks for people to see; with FRAMES_OUTPUT=folder they are kept there."""
    folder = Path(os.environ.get("FRAMES_OUTPUT", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    videos = [(name, style or None) for name, styles in sorted(catalog.STYLES.items()) for style in sorted(styles)]
    looks = [draw(name, style, size=(320, 180)) for name, style in videos]
    photos = [draw(name, None, size=(256, 256), photo=True) for name in sorted(catalog.PHOTO_CHARACTERS)]

    save_sheet(folder / "characters.png", looks)
    save_sheet(folder / "photo-avatars.png", photos)
    save_sheet(folder / "subtitles.png", [burned(*one) for one in SPOKEN])
    save_sheet(
        folder / "crop-and-photo.png",
        [first_picture(render(avatar)) for avatar in (LISA, {**LISA, **crop(600, 0, 1320, 1080)}, AMARA)],
    )
    assert len({picture.tobytes() for picture in (*looks, *photos)}) == len(looks) + len(photos)


def burned(voice, text):
    video = render({**LISA, "subtitleType": "hard_embedded"}, voice=voice, text=text)
    return first_picture(video, after=0.4)


def save_sheet(path, pictures):
    wide, high = max(one.width for one in pictures) + 4, max(one.height for one in pictures) + 4
    columns = max(1, 1400 // wide)
    sheet = Image.new("RGB", (columns * wide, -(-len(pictures) // columns) * high), (128, 128, 128))
    for number, picture in enumerate(pictures):
        sheet.paste(picture, (number % columns * wide, number // columns * high))
    sheet.save(path)
